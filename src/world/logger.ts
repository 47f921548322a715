import { pino, type DestinationStream } from 'pino';
import { harmlessJson, printable, printableLines } from './printable.ts';

/** Levels of the daemon's own log, from most to least talkative. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** What a room logs with. The message is static; what varies is in the fields. Never a secret, never an environment value. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds these fields to every line, e.g. `{ room: 'runner' }`. */
  child(fields: LogFields): Logger;
}

/** The log itself, which can be made more or less talkative while it is open. */
export interface DaemonLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Resolves when all lines are written, or cannot be: for who is about to become another program, which is no end of the process. Who does not read may be waited for for ever. */
  written(): Promise<void>;
}

/** `vassal`, `instance`, `pid`, `from`, `to`, `code`, `err` … */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where and how the daemon's own log is written. */
export interface LogOutput {
  readonly level: LogLevel;
  /** Readable lines for a terminal; else one JSON object a line. */
  readonly readable: boolean;
  /** File descriptor; default 1, stdout. */
  readonly fd?: number;
}

/** What may wait for a blocked stdout; lines beyond it are dropped, counted, and told of later. */
const MAX_WAITING_BYTES = 2 ** 20;

/**
 * The daemon's log. Lines are written at once but not synchronously: a pipe or terminal that nobody reads (a stuck journald,
 * Ctrl-S) would otherwise stop the whole emperor in write(2). At most {@link MAX_WAITING_BYTES} wait for it. At the end of
 * the process what still waits is written out, so an orderly end loses nothing.
 */
export async function openLogger({ level, readable, fd = 1 }: LogOutput): Promise<DaemonLogger> {
  // With a length of 0, which would write as soon as this, it could not be flushed.
  const output = pino.destination({ dest: fd, sync: false, minLength: 1, maxLength: MAX_WAITING_BYTES });
  let lost = 0;
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    // Who reads it may split lines at more than a line feed.
    readable ? await prettyInto(output) : { write: (line) => output.write(harmlessJson(line)) },
  );
  output.on('drop', () => {
    lost += 1;
  });
  output.on('drain', () => {
    if (lost === 0) return;
    logger.warn({ code: 'E_LOG', lost }, 'the output of the emperor was blocked: log lines were lost');
    lost = 0;
  });
  // A log that cannot be written (full disk, closed terminal) costs the log and nothing else.
  output.on('error', () => {
    lost += 1;
  });
  return Object.assign(logger, {
    setLevel: (wanted: LogLevel) => {
      logger.level = wanted;
    },
    written: () => new Promise<void>((resolve) => output.flush(() => resolve())),
  });
}

/** Formats line by line in step, so that what was logged last is not lost in a stream when the process ends. */
async function prettyInto(output: DestinationStream): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({
    colorize: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,vassal,instance,revision,from,to,why,actor',
    messageFormat: (line, messageKey) => sentence(line, String(line[messageKey])),
  });
  return { write: (line) => output.write(format(JSON.stringify(JSON.parse(line, harmless)))) };
}

/** Fields hold what files, instances and clients say. Of the stack of an error the lines are kept. */
function harmless(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return key === 'stack' ? printableLines(value) : printable(value);
}

/** A line of the log as one would say it; nothing in it can steer the terminal: `shop#3 ready (starting → ready): it is alive for 1000 ms`. */
function sentence(line: LogFields, message: string): string {
  const { instance, vassal, from, to, why, actor } = line;
  const said = (before: string, value: unknown): string => (value === undefined ? '' : `${before}${printable(typeof value === 'string' ? value : JSON.stringify(value))}`);
  const subject = instance ?? vassal;
  const change = to === undefined ? '' : ` (${said('', from)}${said(' → ', to)})`;
  return `${said('', subject)}${subject === undefined ? '' : ' '}${message}${change}${said(': ', why)}${said(', by ', actor)}`;
}
