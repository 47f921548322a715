import type { WriteStream } from 'node:tty';
import { printableLines } from '../world/printable.ts';

/** Where a verb prints. */
export interface Terminal {
  /** True if stdout is a terminal: then what is printed must not be able to control it. */
  readonly interactive: boolean;
  /** To stdout. Resolves when there is room for more. */
  out(text: string | Uint8Array): Promise<void>;
  /** To stderr. Nothing in it can control a terminal. */
  err(text: string): void;
}

/** The terminal of this process. A reader that has seen enough (`| head`) ends it without a word. */
export function processTerminal(stdout: WriteStream, stderr: WriteStream): Terminal {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    interactive: stdout.isTTY,
    out: async (text) => {
      if (stdout.write(text)) return;
      await new Promise<void>((resolve) => {
        stdout.once('drain', resolve);
      });
    },
    err: (text) => void stderr.write(printableLines(text)),
  };
}
