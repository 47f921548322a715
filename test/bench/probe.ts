import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A FIFO that children write a line to; each line is stamped on arrival. */
export class Probe implements Disposable {
  readonly path: string;
  readonly arrivals: { readonly word: string; readonly name: string; readonly ms: number }[] = [];
  readonly #socket: Socket;
  #watchers: (() => void)[] = [];

  constructor(path: string) {
    this.path = path;
    execFileSync('mkfifo', [path]);
    // Open for writing as well: the FIFO then never ends, whoever comes and goes.
    this.#socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
    createInterface({ input: this.#socket }).on('line', (line) => {
      const [word = '', name = ''] = line.split(' ');
      this.arrivals.push({ word, name, ms: performance.now() });
      for (const watcher of this.#watchers) watcher();
    });
  }

  /** A command that says `up NAME`, then sleeps until it is ended. */
  sleeper(name: string): string[] {
    return ['/bin/sh', '-c', `echo up ${name} > ${this.path}; exec sleep 100000`];
  }

  /** A command that says `up NAME`, and `term NAME` when it is told to end. */
  speaker(name: string): string[] {
    return ['/bin/sh', '-c', `trap 'echo term ${name} > ${this.path}; exit 0' TERM; echo up ${name} > ${this.path}; while :; do sleep 100000 & wait $!; done`];
  }

  /** When the `count`-th line of that kind that came after `since` (an index into arrivals) was there, in ms of performance.now(). */
  async until(word: string, since: number, count = 1, name?: string): Promise<number> {
    for (;;) {
      const found = this.arrivals.slice(since).filter((each) => each.word === word && (name === undefined || each.name === name));
      const last = found[count - 1];
      if (last !== undefined) return last.ms;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${found.length} of ${count} "${word}" after 120 s`)), 120_000);
        const watcher = (): void => {
          clearTimeout(timer);
          this.#watchers = this.#watchers.filter((each) => each !== watcher);
          resolve();
        };
        this.#watchers.push(watcher);
      });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
