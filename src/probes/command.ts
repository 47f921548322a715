import { reasonOf } from '../errors.ts';
import { bad, good, within } from './answer.ts';
import type { Answer } from './prober.ts';

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  /** What killed it. */
  readonly signal: string | null;
  /** The end of what it printed. */
  readonly output: string;
}

/** One question to a command. */
export interface CommandQuestion {
  readonly argv: readonly [string, ...string[]];
  /** Settles when the command is gone with all that it started; rejects if it cannot be started. */
  readonly run: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<Ending>;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** For the message. */
  readonly timeoutMs: number;
}

/** Asks once. The answer is the exit code and the first line that was printed. Not answered before the command is gone: there is never a second one beside it. */
export async function askCommand({ argv, run, signal, timeoutMs }: CommandQuestion): Promise<Answer> {
  let ending: Ending;
  try {
    ending = await run(argv, signal);
  } catch (error) {
    return bad(reasonOf(error));
  }
  if (signal.aborted) return bad(`no answer ${within(timeoutMs)}`);
  if (ending.code === 0) return good('exit code 0');
  const line = ending.output.split('\n').map((each) => each.trim()).find((each) => each !== '');
  const how = ending.code === null ? `killed by ${ending.signal ?? 'a signal'}` : `exit code ${ending.code}`;
  return bad(line === undefined ? how : `${how}: ${line}`);
}
