import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

/** A line for each datagram: its text, and what came along, as /proc/self/fd names it. It reads one for each line of its input. */
const PROGRAM = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
for _ in sys.stdin:
    data, fds, _, _ = socket.recv_fds(s, 4096, 8)
    print(json.dumps([data.decode(), [os.readlink(f'/proc/self/fd/{fd}') for fd in fds]]), flush=True)
`;

/** What a service manager hears: another process, as systemd is. It hears nothing unless it is asked to. */
export class FakeManager implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'emperor-manager-'));
  readonly socket: string = join(this.folder, 'notify');
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor() {
    this.#process = spawn('python3', ['-c', PROGRAM, this.socket], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  static async start(): Promise<FakeManager> {
    const manager = new FakeManager();
    await manager.#lines.next();
    return manager;
  }

  /** The next datagram: its lines, and what came along. */
  async hear(): Promise<{ readonly lines: readonly string[]; readonly enclosed: readonly string[] }> {
    this.#process.stdin.write('\n');
    const patience = AbortSignal.timeout(10_000);
    const silence = once(patience, 'abort').then(() => { throw new Error('nothing is said'); });
    const { value } = await Promise.race([this.#lines.next(), silence]);
    const [text, enclosed] = JSON.parse(String(value)) as [string, string[]];
    return { lines: text.split('\n'), enclosed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    rmSync(this.folder, { recursive: true });
  }
}
