// Records one batch after the other and prints the number of each when it is written, until it is killed.
// Batch n: three history entries and the stamp n of one vassal.
import process from 'node:process';
import { openStore } from '../../../src/store/sqlite.ts';
import { changeOf, entryOf, vassalOf } from '../samples.ts';

const [folder = ''] = process.argv.slice(2);
const store = openStore(folder, { now: () => Date.now(), onTrouble: (code) => process.exit(code === 'E_STORE' ? 3 : 4) });
for (let batch = 1; ; batch += 1) {
  const entry = entryOf('shop', { why: `batch ${batch}` });
  store.record(changeOf([vassalOf('shop', { stamp: String(batch) })], [entry, entry, entry]));
  process.stdout.write(`${batch}\n`);
}
