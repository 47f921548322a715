import { EmperorError } from '../errors.ts';

/** What it said of itself. */
export interface Successor {
  readonly version: string;
}

const DEADLINE_MS = 30_000;
const MOST_LINES = 20;

/**
 * Has a program prove, in a process of its own, that it can be the emperor: a program that does not parse, is too old for the database or hangs is
 * found out while the present one is still there.
 * @param args with which it proves that it can, and says `rehearsed VERSION`
 * @throws E_UPGRADE, with what it printed
 */
export async function hear(file: string, args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Promise<Successor> {
  const { execa } = await import('execa');
  const { stdout, stderr, failed, timedOut, originalMessage, exitCode, signal } = await execa(file, args, {
    env: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)),
    extendEnv: false, stdin: 'ignore', reject: false, timeout: DEADLINE_MS, forceKillAfterDelay: 1_000, maxBuffer: 1_000_000,
  });
  const version = /^rehearsed (\S+)$/m.exec(stdout)?.[1];
  if (!failed && version !== undefined) return { version };
  const how = timedOut ? `it did nothing for ${DEADLINE_MS / 1000} s` : exitCode !== undefined ? `it ended with code ${exitCode}` : signal !== undefined ? `it was killed by ${signal}` : originalMessage ?? 'nobody knows why';
  const said = stderr.trim().split('\n').slice(-MOST_LINES).join('\n');
  throw new EmperorError('E_UPGRADE', `the program on the disk cannot take over: ${how}${said === '' ? '' : `\n${said}`}\nthe present one goes on`);
}
