import type { Said } from '../core/event.ts';

/** Longest datagram that is looked at, in bytes: NOTIFY_BUFFER_MAX of systemd. */
export const MOST_BYTES = 4_096;
/** Lines of a datagram that are looked at. */
const MOST_LINES = 64;
/** Characters of a status that are kept. */
const LONGEST_STATUS = 256;
/** PID_MAX_LIMIT of Linux, 64 bit. */
const HIGHEST_PID = 4_194_304;
const NUL = 0;

/**
 * Reads one datagram of sd_notify(3): lines of NAME=value, the last of a name counts. Names that we have no use for (ERRNO, FDSTORE, BARRIER …) are
 * passed over, and so are values that make no sense.
 * @returns null: nothing in it is for us; `malformed`: it holds a NUL before its end, which no sender means to do
 */
export function parseSaid(bytes: Buffer): Said | null | 'malformed' {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === NUL ? bytes.length - 1 : bytes.length;
  if (bytes.subarray(0, end).includes(NUL)) return 'malformed';
  const values = new Map<string, string>();
  for (const line of bytes.toString('utf8', 0, end).split('\n', MOST_LINES)) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const said: Said = {
    ready: values.get('READY') === '1',
    reloading: values.get('RELOADING') === '1',
    stopping: values.get('STOPPING') === '1',
    status: statusOf(values.get('STATUS')),
    watchdog: watchdogOf(values.get('WATCHDOG')),
    extendMs: positive(values.get('EXTEND_TIMEOUT_USEC'), Number.MAX_SAFE_INTEGER, (microseconds) => Math.ceil(microseconds / 1_000)),
    mainPid: positive(values.get('MAINPID'), HIGHEST_PID, (pid) => pid),
  };
  return Object.values(said).some((value) => value !== false && value !== null) ? said : null;
}

function watchdogOf(value: string | undefined): Said['watchdog'] {
  if (value === '1') return 'ping';
  return value === 'trigger' ? 'trigger' : null;
}

/** Without what could control a terminal. Empty: it takes back what it said. */
function statusOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  return Array.from(value.replaceAll(/\p{C}/gu, '')).slice(0, LONGEST_STATUS).join('');
}

function positive(value: string | undefined, most: number, convert: (value: number) => number): number | null {
  if (value === undefined || !/^[0-9]{1,16}$/.test(value)) return null;
  const number = Number(value);
  return number > 0 && number <= most ? convert(number) : null;
}
