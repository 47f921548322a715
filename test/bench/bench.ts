// npm run bench [-- FIGURE…]: what it costs, each figure beside a floor measured in the same run.
import { cpus } from 'node:os';
import { boot, drop, tenThousand } from './crowd.ts';
import { asleep, knock } from './knocks.ts';
import { latency } from './latency.ts';
import { life } from './life.ts';
import { noise } from './noise.ts';
import { reloadAll } from './reload-all.ts';
import { reloadByte } from './reload-byte.ts';
import { survival } from './survival.ts';
import { swap } from './swaps.ts';
import { table, type Figure } from './table.ts';
import { units } from './units.ts';
import { verbs } from './verbs.ts';

const FIGURES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = { latency, drop, boot, tenThousand, noise, verbs, swap, knock, reloadAll, reloadByte, asleep, survival, life, units };

const asked = process.argv.slice(2);
const figures: Figure[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(FIGURES)) {
  const measure = FIGURES[name];
  if (measure === undefined) throw new Error(`no figure "${name}"; there are ${Object.keys(FIGURES).join(', ')}`);
  process.stderr.write(`${name} …\n`);
  figures.push(...(await measure()));
}
process.stdout.write(`Node ${process.version}, ${cpus().length} cores\n\n${table(figures)}\n`);
