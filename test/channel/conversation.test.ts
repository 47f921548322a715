import { describe, expect, it } from 'vitest';
import { COMMANDS, wordOf, type Command } from '../../src/channel/bytes.ts';
import { ask, due, FIRST, hear, resumed, told as wasTold, type Conversation } from '../../src/channel/conversation.ts';

/** Plays what is asked (a word) and what is heard (bytes) in order; gives what was told, and what was news. */
function play(script: readonly (Command | readonly number[])[], from: Conversation = FIRST): { readonly told: string[]; readonly news: string[]; readonly end: Conversation } {
  const told: string[] = [];
  const news: string[] = [];
  let end = from;
  for (const each of script) {
    const heard = typeof each === 'string' ? { conversation: ask(end, each), news: [] } : hear(end, Uint8Array.from(each));
    end = heard.conversation;
    news.push(...heard.news);
    const command = due(end);
    if (command === null) continue;
    told.push(command);
    end = wasTold(end, command);
  }
  return { told, news, end };
}

describe('the bytes', () => {
  it.each([[1, 'started'], [5, 'accepting'], [17, 'loyal'], [22, 'idle'], [26, 'heartbeat'], [30, 'sos']])('%i from a vassal means %s', (byte, word) => {
    expect(wordOf(byte)).toBe(word);
  });

  it('that mean something are six of 256', () => {
    expect(Array.from({ length: 256 }, (_, byte) => wordOf(byte)).filter((word) => word !== null)).toHaveLength(6);
  });

  it('to a vassal are 1 to reload, and 2 to stop when its requests are done', () => {
    expect(COMMANDS).toEqual({ reload: 1, stop: 2 });
  });
});

describe('a command', () => {
  it.each<[string, readonly (Command | readonly number[])[], readonly string[]]>([
    ['is not told before the vassal listens', ['reload'], []],
    ['is not told for a master that was set up only', ['reload', [1]], []],
    ['is told as soon as it listens', ['reload', [1], [5]], ['reload']],
    ['is told at once where it listens', [[5], 'reload'], ['reload']],
    ['waits for the one before to be done', [[5], 'reload', 'reload'], ['reload']],
    ['is told when that is done', [[5], 'reload', 'reload', [5]], ['reload', 'reload']],
    ['that was asked for twice is told once', ['reload', 'reload', 'reload', [5], [5]], ['reload']],
    ['to stop outdoes one to reload', ['reload', 'stop', 'reload', [5]], ['stop']],
    ['to stop waits for the end of a reload', [[5], 'reload', 'stop', [17, 26, 26], [5]], ['reload', 'stop']],
    ['is told to a sub-Emperor of uWSGI, which says that it is loyal, and never that it accepts', [[17, 1], 'stop'], ['stop']],
    ['waits for the end of a reload, which loyalty is no sign of', [[5, 17], 'reload', 'stop', [17]], ['reload']],
    ['is the last if it was to stop', [[5], 'stop', 'reload', 'stop', [5], 'reload'], ['stop']],
  ])('%s', (_what, script, told) => {
    expect(play(script).told).toEqual(told);
  });

  it.each([[true, ['reload']], [false, []]])('to one that another emperor talked with, and that was ready (%s): %j', (ready, told) => {
    expect(play(['reload'], resumed(ready)).told).toEqual(told);
  });
});

describe('what a vassal says', () => {
  it('is news once a read, in the order in which it was said', () => {
    expect(play([[26, 1, 26, 17, 5, 26, 5]]).news).toEqual(['heartbeat', 'started', 'loyal', 'accepting']);
  });

  it('again is counted where it says nothing new', () => {
    const { news, end } = play([[1, 17], [17, 17, 1], [5], 'stop', [22, 22]]);
    expect([news, end.repeated]).toEqual([['started', 'loyal', 'accepting', 'accepting'], 5]);
  });

  it('is reported each time where it matters again: readiness, heartbeats, idleness', () => {
    expect(play([[5], [5], [26], [26], [22], [22]]).news).toEqual(['accepting', 'accepting', 'heartbeat', 'heartbeat', 'idle', 'idle']);
  });

  it('and means nothing is counted and changes nothing', () => {
    const strange = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => wordOf(byte) === null);
    expect(play([strange, [5], strange]).end).toEqual({ ...FIRST, phase: 'listening', strange: 500 });
  });

  it('as a cry for help is counted one by one', () => {
    expect(play([[30, 30], [30]]).end.cries).toBe(3);
  });
});
