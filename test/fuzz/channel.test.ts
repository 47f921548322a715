import fc from 'fast-check';
import { expect } from 'vitest';
import { wordOf, type Command } from '../../src/channel/bytes.ts';
import { ask, due, FIRST, hear, told, type Conversation } from '../../src/channel/conversation.ts';
import { fuzz } from './fuzz.ts';

/** What happens on a channel: something is asked, or a read brings bytes. */
type Step = Command | readonly number[];

const byte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(1, 5, 17, 22, 26, 30) }, { weight: 1, arbitrary: fc.nat(255) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Command>('reload', 'stop') },
  { weight: 2, arbitrary: fc.array(byte, { minLength: 1, maxLength: 40 }) },
);

fuzz<readonly Step[]>({
  name: 'whatever a vassal says, it is told one thing at a time, when it listens, and nothing after it was told to stop',
  inputs: fc.array(step, { maxLength: 60 }),
  corpus: [[[17, 1], 'reload', 'stop', [5]], [[5], 'reload', 'reload', [5], 'stop', [5, 5], 'reload', [5]], ['stop', 'reload', [5], [22], 'stop'], [Array.from({ length: 256 }, (_, each) => each)]],
  runs: 500,
  check(steps) {
    let conversation: Conversation = FIRST;
    let mayTell = false;
    let stopped = false;
    let heard = 0;
    for (const each of steps) {
      if (typeof each === 'string') {
        conversation = ask(conversation, each);
      } else {
        const said = new Set(each.map((one) => wordOf(one)));
        // A sub-Emperor has no workers that could say that they accept.
        if (conversation.phase === 'booting' && said.has('loyal')) said.add('accepting');
        const turn = hear(conversation, Uint8Array.from(each));
        conversation = turn.conversation;
        heard += each.length;
        if (said.has('accepting')) mayTell = true;
        expect(turn.news.length).toBeLessThanOrEqual(6);
        expect(new Set(turn.news).size).toBe(turn.news.length);
        for (const word of turn.news) expect(said).toContain(word);
      }
      const command = due(conversation);
      if (command === null) continue;
      conversation = told(conversation, command);
      expect([mayTell, stopped]).toEqual([true, false]);
      mayTell = false;
      stopped = command === 'stop';
    }
    expect(conversation.strange + conversation.repeated + conversation.cries).toBeLessThanOrEqual(heard);
    expect(conversation.strange).toBe(steps.flatMap((each) => (typeof each === 'string' ? [] : each)).filter((one) => wordOf(one) === null).length);
  },
});
