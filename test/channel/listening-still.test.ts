import { closeSync, fstatSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isListeningStill } from '../../src/channel/listening-still.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketPairs } from '../../src/kernel/socket-pair.ts';

it('knows who has an end of a channel, and who has it no more', () => {
  const { ours, theirs } = openSocketPairs(openLibc()).open('emperor-channel/test');
  const { ino } = fstatSync(theirs);
  expect(isListeningStill(process.pid, ino)).toBe(true);
  closeSync(theirs);
  expect(isListeningStill(process.pid, ino)).toBe(false);
  expect(isListeningStill(2 ** 22 + 1, ino)).toBe(false);
  closeSync(ours);
});
