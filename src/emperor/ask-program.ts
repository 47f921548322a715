import { faulty, contentOf } from '../monitors/content.ts';
import type { Libc } from '../kernel/libc.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { ownIdentity } from '../runner/identity.ts';
import { magicExec, type MagicHost } from '../runner/magic-exec.ts';
import type { Ask } from './programs.ts';

/** Asks vassal files that are programs, until it is disposed of: then those that run are killed. */
export function openAsk(libc: Libc, host: Pick<MagicHost, 'environment' | 'clock'>): Disposable & { readonly ask: Ask } {
  const users = openUserDatabase(libc);
  const own = ownIdentity(users);
  const over = new AbortController();
  return {
    ask: async ({ id, owner, content }) => {
      // In tyrant mode what is root's is refused, whatever it says.
      if (owner?.uid === 0) return content;
      const printed = await magicExec(id, owner ?? null, { ...host, users, own }, over.signal);
      return printed.ok ? contentOf(id, printed.bytes) : faulty(id, 'E_FILE_PROGRAM', `as a program, the vassal file is of no use: ${printed.message}`, 'mend it and touch it, or chmod -x it if it is none');
    },
    [Symbol.dispose]: () => over.abort(),
  };
}
