import { describe, expect, it } from 'vitest';
import { journalEntry } from '../../src/kernel/journal.ts';
import { openJournal } from '../../src/kernel/journal.ts';
import { openLibc } from '../../src/kernel/libc.ts';

describe('an entry of the journal', () => {
  it('is a field a line', () => {
    expect(journalEntry([['MESSAGE', 'é = 1'], ['PRIORITY', '6'], ['DATA', Buffer.from([255])]]).toString('latin1')).toBe('MESSAGE=\xc3\xa9 = 1\nPRIORITY=6\nDATA=\xff\n');
  });

  it('tells the length of a value with line feeds in it, which so can end no field', () => {
    expect(journalEntry([['MESSAGE', 'a\nPRIORITY=0'], ['X', '']])).toEqual(Buffer.concat([Buffer.from('MESSAGE\n'), Buffer.from([12, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('a\nPRIORITY=0\nX=\n')]));
  });

  it('is told not to be written where there is no journal', () => {
    expect(openJournal(openLibc(), '/nowhere/socket')([['MESSAGE', 'x']])).toBe('ENOENT');
  });
});
