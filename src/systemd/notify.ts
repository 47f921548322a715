import { closeSync } from 'node:fs';
import { openCopyHigh } from '../kernel/high-descriptor.ts';
import type { Libc } from '../kernel/libc.ts';
import { openSender } from '../kernel/send-datagram.ts';
import type { Clock } from '../world/clock.ts';

/** What this process says to the service manager that started it, sd_notify(3). */
export interface Speech extends Disposable {
  /**
   * Says it, in the order of the calls. Never waits: while the manager is busy it is kept, and said later.
   * @param lines `NAME=value` each
   * @param descriptor a copy of it goes along
   */
  say(lines: readonly string[], descriptor?: number): void;
}

/** What speech is made of. */
export interface SpeechOptions {
  readonly libc: Libc;
  readonly clock: Pick<Clock, 'after'>;
  /** NOTIFY_SOCKET: a path, or an abstract name that begins with `@`; undefined: nobody listens. */
  readonly socket: string | undefined;
  /** Told once, for people, if the manager cannot be spoken to. */
  readonly onTrouble: (message: string) => void;
}

interface Unsaid {
  readonly data: Buffer;
  /** Ours to close. */
  readonly descriptor: number | null;
}

/** A manager that reads slowly is tried again after this. */
const AGAIN_MS = 10;
/** It has no room now; anything else will not be different the next time. */
const FULL: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS', 'ETOOMANYREFS']);

/** Opens it. Disposing tries once more what is unsaid, and forgets it then. */
export function openSpeech({ libc, clock, socket, onTrouble }: SpeechOptions): Speech {
  if (socket === undefined || socket === '') return { say: () => {}, [Symbol.dispose]: () => {} };
  const send = openSender(libc);
  const copy = openCopyHigh(libc);
  let unsaid: Unsaid[] = [];
  let cancel: (() => void) | null = null;
  let told = false;

  function attempt(data: Buffer, descriptor: number | null): boolean {
    const errno = send(socket ?? '', data, descriptor ?? undefined);
    if (errno === null) return true;
    if (FULL.has(errno)) return false;
    if (!told) onTrouble(`the service manager cannot be spoken to at ${socket}: ${errno}`);
    told = true;
    return true;
  }

  function saySome(): void {
    cancel = null;
    const said = unsaid.findIndex(({ data, descriptor }) => !attempt(data, descriptor));
    forget(unsaid.splice(0, said === -1 ? unsaid.length : said));
    if (unsaid.length > 0) cancel = clock.after(AGAIN_MS, saySome);
  }

  function forget(all: readonly Unsaid[]): void {
    for (const { descriptor } of all) if (descriptor !== null) closeSync(descriptor);
  }

  return {
    say(lines, descriptor) {
      const data = Buffer.from(lines.join('\n'));
      if (unsaid.length === 0 && attempt(data, descriptor ?? null)) return;
      // Until it is said its owner may have closed it.
      unsaid.push({ data, descriptor: descriptor === undefined ? null : copy(descriptor) });
      cancel ??= clock.after(AGAIN_MS, saySome);
    },
    [Symbol.dispose]() {
      cancel?.();
      saySome();
      cancel?.();
      forget(unsaid);
      unsaid = [];
    },
  };
}
