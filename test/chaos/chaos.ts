// npm run chaos [-- --seed N --minutes M]: an emperor and some thirty vassals under load, while everything happens to them that may happen.
// The same seed gives the same operations at the same times. Exit code 1 at the first thing that must not be, 0 if there was none.
import { parseArgs } from 'node:util';
import { Campaign, type Report, type Summary } from './campaign.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string', default: '5' } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
const minutes = Number(values.minutes);
if (!Number.isSafeInteger(seed) || seed < 0 || !(minutes > 0)) throw new Error('usage: npm run chaos -- [--seed N] [--minutes M]');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell({ violations, operations, troubles, history, folder }: Report): void {
  say(`\nVIOLATION, seed ${seed}`);
  for (const { what, vassal, expected, seen } of violations) say(`  ${what}${vassal === null ? '' : `: ${vassal}`}\n    expected: ${expected}\n    seen:     ${seen}`);
  say('\nthe last operations, and those on that vassal');
  for (const line of operations) say(`  ${line}`);
  say('\nwhat was known to trouble it');
  for (const line of troubles) say(`  ${line}`);
  say('\nits history');
  for (const line of history) say(`  ${line}`);
  say(`\nwhat is left is in ${folder}`);
}

function sumUp({ operations, answered, resent, lost, lines, linesLost, emperorDeaths, adopted, looks, quietPoints }: Summary): void {
  say(`\nseed ${seed}: nothing that must not be`);
  for (const [kind, outcomes] of operations) say(`  ${kind.padEnd(16)} ${Array.from(outcomes, ([outcome, times]) => `${times} ${outcome}`).join(', ')}`);
  say(`  requests: ${answered} answered, ${lost} lost with what was killed or stopped, ${resent} resent`);
  say(`  lines: ${lines} found once, ${linesLost} lost with an instance that ended while there was no emperor, or for want of room; looks: ${looks}; emperor deaths: ${emperorDeaths}; adopted instances: ${adopted}`);
  for (const { pid, descriptors, threads, residentBytes, instances } of quietPoints) say(`  quiet: emperor ${pid} with ${instances} instances: ${descriptors} descriptors, ${threads} threads, ${Math.round(residentBytes / 2 ** 20)} MiB`);
}

say(`seed ${seed}, ${minutes} minutes`);
const campaign = await Campaign.open(say);
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    campaign.stop();
  });
}
const endMs = performance.now() + minutes * 60_000;
try {
  await campaign.begin();
  for (let act = 0; !campaign.over.aborted && performance.now() < endMs; act += 1) await campaign.act(seed, act);
  if (campaign.violated) tell(await campaign.report());
  else if (!interrupted) sumUp(campaign.summary());
} finally {
  await campaign[Symbol.asyncDispose]();
}
process.exit(campaign.violated ? 1 : interrupted ? 130 : 0);
