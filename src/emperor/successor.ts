import { EmperorError } from '../errors.ts';

/** The program that is to take the place of this one, as it is on the disk by now. */
export interface Program {
  readonly file: string;
  /** Without the name of the program. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What it said of itself. */
export interface Successor {
  readonly version: string;
}

/** The hidden flag of `run`: prove that you could, say who you are, and end. */
export const REHEARSE_FLAG = '--rehearse';
const DEADLINE_MS = 30_000;
const MOST_LINES = 20;

/**
 * Has the successor prove, in a process of its own, that it can be the emperor: a program that does not parse, is too old for the database or hangs is
 * found out while the present one is still there.
 * @throws E_UPGRADE, with what it printed
 */
export async function hear({ file, args, environment }: Program): Promise<Successor> {
  const { execa } = await import('execa');
  const { stdout, stderr, failed, timedOut, originalMessage, exitCode, signal } = await execa(file, [...args, REHEARSE_FLAG], {
    env: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)),
    extendEnv: false, stdin: 'ignore', reject: false, timeout: DEADLINE_MS, forceKillAfterDelay: 1_000, maxBuffer: 1_000_000,
  });
  const version = /^rehearsed (\S+)$/m.exec(stdout)?.[1];
  if (!failed && version !== undefined) return { version };
  const how = timedOut ? `it did nothing for ${DEADLINE_MS / 1000} s` : exitCode !== undefined ? `it ended with code ${exitCode}` : signal !== undefined ? `it was killed by ${signal}` : originalMessage ?? 'nobody knows why';
  const said = stderr.trim().split('\n').slice(-MOST_LINES).join('\n');
  throw new EmperorError('E_UPGRADE', `the program on the disk cannot take over: ${how}${said === '' ? '' : `\n${said}`}\nthe present one goes on`);
}
