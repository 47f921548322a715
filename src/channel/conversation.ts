import { wordOf, type Command, type Word } from './bytes.ts';

/**
 * Where the talk with one vassal stands:
 *
 *   booting ──accepting──▶ listening ──reload──▶ reloading ──accepting──▶ listening
 *                              └──stop──▶ leaving
 *
 * A byte that is written while the vassal is not listening is read before its workers are, and costs it its whole mercy (60 s): so what is asked
 * meanwhile waits, and one command is outstanding at most.
 */
export interface Conversation {
  readonly phase: 'booting' | 'listening' | 'reloading' | 'leaving';
  /** To be told once it listens. To stop outdoes to reload. */
  readonly wanted: Command | null;
  /** What it said that says nothing new: a second `started` or `loyal`; `idle` once it was told to stop. */
  readonly repeated: number;
  /** Bytes that are none of the protocol. */
  readonly strange: number;
  /** A worker of it has finished a request. */
  readonly loyal: boolean;
  /** Its master was set up. */
  readonly started: boolean;
  /** How often it asked for help. */
  readonly cries: number;
}

/** Nothing was said yet. */
export const FIRST: Conversation = { phase: 'booting', wanted: null, repeated: 0, strange: 0, loyal: false, started: false, cries: 0 };

/** What some bytes lead to. */
export interface Heard {
  readonly conversation: Conversation;
  /** What is news to us, each once, in the order in which it was said first. */
  readonly news: readonly Word[];
}

/** One that another emperor has talked with: it listens, if it had become ready then. */
export function resumed(isReady: boolean): Conversation {
  return isReady ? { ...FIRST, phase: 'listening', started: true } : FIRST;
}

/** Something is to be told, once it may be: see {@link due}. */
export function ask(conversation: Conversation, command: Command): Conversation {
  const { phase, wanted } = conversation;
  return phase === 'leaving' || wanted === 'stop' ? conversation : { ...conversation, wanted: command };
}

/** What may be told now; null: nothing. */
export function due({ phase, wanted }: Conversation): Command | null {
  return phase === 'listening' ? wanted : null;
}

/** It was told what was due. */
export function told(conversation: Conversation, command: Command): Conversation {
  return { ...conversation, phase: command === 'stop' ? 'leaving' : 'reloading', wanted: null };
}

/** Some bytes have come. What one read brings is taken as one: of the same word, however often, one is news. */
export function hear(before: Conversation, bytes: Uint8Array): Heard {
  let { phase, repeated, strange, loyal, started, cries } = before;
  const news = new Set<Word>();
  for (const byte of bytes) {
    const word = wordOf(byte);
    if (word === null) {
      strange += 1;
      continue;
    }
    if ((word === 'loyal' && loyal) || (word === 'started' && started) || (word === 'idle' && phase === 'leaving')) {
      repeated += 1;
      continue;
    }
    news.add(word);
    if (word === 'loyal') loyal = true;
    // A sub-Emperor of uWSGI has no workers, and so says this alone; of others who has answered a request takes them.
    if (word === 'loyal' && phase === 'booting') {
      phase = 'listening';
      news.add('accepting');
    }
    if (word === 'started') started = true;
    if (word === 'sos') cries += 1;
    if (word === 'accepting' && phase !== 'leaving') phase = 'listening';
  }
  return { conversation: { ...before, phase, repeated, strange, loyal, started, cries }, news: [...news] };
}
