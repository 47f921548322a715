import type { RevisionDocument } from '../../control/protocol.ts';
import { printable } from '../../world/printable.ts';
import { age } from './age.ts';
import { table, type Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'REV', align: 'right' },
  { title: 'FIRST SEEN', align: 'left' },
  { title: 'AGE', align: 'right' },
  { title: 'HASH', align: 'left' },
  { title: 'RUNNABLE', align: 'left' },
  { title: 'MARKS', align: 'left' },
];

/** Digits of a hash that tell texts apart. */
const HASH_DIGITS = 12;

/** The revisions of a vassal as a table, the newest last. Pure. */
export function revisionTable(revisions: readonly RevisionDocument[], nowMs: number): string {
  if (revisions.length === 0) return 'no revisions\n';
  return table(COLUMNS, revisions.map(({ number, at, hash, runnable, marks }) => [
    String(number),
    at.replace('T', ' ').replace(/\.\d+/, ''),
    age(nowMs - Date.parse(at)),
    printable(hash.slice(0, HASH_DIGITS)),
    runnable ? 'yes' : 'no',
    marks.join(', '),
  ]));
}
