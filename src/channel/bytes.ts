/**
 * The bytes of the uWSGI Emperor's channel, one byte a message. Source: uWSGI core/emperor.c (emperor_loop), core/master_checks.c and
 * core/master_utils.c (uwsgi_master_manage_emperor); docs, "The Emperor protocol".
 */

/** What a vassal is told. */
export type Command = 'reload' | 'stop';

/** `stop` lets requests be finished: uWSGI 2.0.19 and later; an older one does not know it. Byte 0, which all know, cuts them off. */
export const COMMANDS: Readonly<Record<Command, number>> = { reload: 1, stop: 2 };

/** Stops at once, and cuts requests off. All versions know it. */
export const BRUTAL_STOP = 0;

/** What a vassal says. */
export type Word =
  /** Its master is set up; no worker is there yet. Once, and not after a reload. */
  | 'started'
  /** Its first worker takes requests: after each start of that worker, and so after each reload. */
  | 'accepting'
  /** A worker has finished its first request. */
  | 'loyal'
  /** It has had no request for its idle time, and waits to be told to stop. */
  | 'idle'
  /** A worker gets to where it takes requests. */
  | 'heartbeat'
  /** Its workers are too busy: vassal-sos, vassal-sos-backlog, or an operator by its master FIFO. */
  | 'sos';

/** 2 asks for a configuration, which only a vassal does that was promised one (UWSGI_EMPEROR_FD_CONFIG): ours have files. So to us it is a stranger. */
const WORDS: ReadonlyMap<number, Word> = new Map([[1, 'started'], [5, 'accepting'], [17, 'loyal'], [22, 'idle'], [26, 'heartbeat'], [30, 'sos']]);

/** The byte of a word, for who says it: an emperor that is a vassal itself. */
export const WORD_BYTES: Readonly<Record<Exclude<Word, 'idle' | 'sos'>, number>> = { started: 1, accepting: 5, loyal: 17, heartbeat: 26 };

/** What a vassal can be told. `hurry`: to stop at once, byte 0; that is how uWSGI's Emperor stops unless it was started with `emperor-graceful-shutdown`. */
export type Order = Command | 'hurry';

const ORDERS: ReadonlyMap<number, Order> = new Map([[0, 'hurry'], [1, 'reload'], [2, 'stop']]);

/** null: no byte of the protocol; uWSGI ignores it. */
export function orderOf(byte: number): Order | null {
  return ORDERS.get(byte) ?? null;
}

/** null: no byte of the protocol. */
export function wordOf(byte: number): Word | null {
  return WORDS.get(byte) ?? null;
}
