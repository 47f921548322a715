// On a file system of its own: records until the disk is full, and once more when there is room again; then opens a
// store on a read-only disk. Prints what happened, one JSON line a step.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { EmperorError } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { changeOf, entryOf, vassalOf } from '../samples.ts';

const [folder = ''] = process.argv.slice(2);
const options = { now: () => 0, onTrouble: (): void => process.exit(4) };

execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
const ballast = join(folder, 'ballast');
writeFileSync(ballast, Buffer.alloc(256 * 1_024));
const store = openStore(folder, options);
const entries = Array.from({ length: 100 }, () => entryOf('shop'));
let written = 0;

function codeOf(work: () => void): string {
  try {
    work();
    return 'done';
  } catch (error) {
    return error instanceof EmperorError ? `${error.code}: ${error.message}` : `bug: ${String(error)}`;
  }
}

function record(): string {
  const outcome = codeOf(() => store.record(changeOf([vassalOf('shop', { stamp: String(written + 1) })], entries)));
  if (outcome === 'done') written += 1;
  return outcome;
}

function print(step: string, outcome: string, whole: boolean): void {
  process.stdout.write(`${JSON.stringify({ step, outcome, whole })}\n`);
}

function tell(step: string, outcome: string): void {
  const entriesFound = store.history({ name: null, limit: 1_000_000, after: null }).length;
  const stamp = store.load().vassals[0]?.stamp;
  print(step, outcome, entriesFound === written * 100 && stamp === String(written));
}

let outcome = 'done';
while (outcome === 'done') outcome = record();
tell('full', outcome);
tell('full, again', record());
rmSync(ballast);
tell('room again', record());
store[Symbol.dispose]();
execFileSync('mount', ['-o', 'remount,ro', folder]);
print('read-only', codeOf(() => openStore(folder, options)), true);
