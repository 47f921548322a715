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
  /** Writes a line to the journal of the host instead, with its fields: see {@link journalFields}. @returns the name of the error; null: it is written */
  readonly journal?: ((fields: JournalLine) => string | null) | null;
}

/** The fields of a line in the journal: systemd.journal-fields(7). */
export type JournalLine = readonly (readonly [name: string, value: string])[];

/** What may wait for a blocked stdout; lines beyond it are dropped, counted, and told of later. */
const MAX_WAITING_BYTES = 2 ** 20;

/**
 * The daemon's log. Lines are written at once but not synchronously: a pipe or terminal that nobody reads (a stuck journald,
 * Ctrl-S) would otherwise stop the whole emperor in write(2). At most {@link MAX_WAITING_BYTES} wait for it. At the end of
 * the process what still waits is written out, so an orderly end loses nothing.
 */
export async function openLogger({ level, readable, fd = 1, journal = null }: LogOutput): Promise<DaemonLogger> {
  // With a length of 0, which would write as soon as this, it could not be flushed.
  const output = pino.destination({ dest: fd, sync: false, minLength: 1, maxLength: MAX_WAITING_BYTES });
  let lost = 0;
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    // Who reads it may split lines at more than a line feed.
    journal !== null ? { write: toJournal } : readable ? await prettyInto(output) : { write: (line) => output.write(harmlessJson(line)) },
  );

  function toJournal(line: string): void {
    const before = lost;
    if (journal?.(journalFields(JSON.parse(line))) != null) lost += 1;
    else if (before > 0) {
      lost = 0;
      logger.warn({ code: 'E_LOG', lost: before }, 'the journal was not there or busy: log lines were lost');
    }
  }
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

/** Priorities of syslog(3), by what each level is called. */
const PRIORITIES: Readonly<Record<string, string>> = { error: '3', warn: '4', info: '6', debug: '7', trace: '7' };

/** A line of the log as an entry of the journal: the sentence, its priority, and every field under its name in capitals (`VASSAL`, `INSTANCE`, `CODE` …). */
export function journalFields({ level, time: _time, msg, ...fields }: LogFields): JournalLine {
  const rest = Object.entries(fields).map(([name, value]): [string, string] => [
    name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_').replace(/^[^A-Z]+/, ''),
    typeof value === 'string' ? value : JSON.stringify(value, harmless),
  ]);
  return [
    ['MESSAGE', sentence(fields, printableLines(String(msg)))],
    ['PRIORITY', PRIORITIES[String(level)] ?? '6'],
    ['SYSLOG_IDENTIFIER', 'emperor'],
    ...rest.filter(([name]) => name !== ''),
  ];
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
