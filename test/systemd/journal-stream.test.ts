import { closeSync, fstatSync, openSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { printsToJournal } from '../../src/systemd/journal-stream.ts';

it('knows the journal by its device and inode, and takes nothing else for it', () => {
  const fd = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd);
  expect(printsToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe(true);
  for (const stream of [`${dev}:${ino + 1}`, '', 'x']) expect(printsToJournal({ JOURNAL_STREAM: stream }, fd)).toBe(false);
  expect(printsToJournal({}, fd)).toBe(false);
  expect(printsToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, 1_000_000)).toBe(false);
});
