import { execFileSync } from 'node:child_process';
import { Bench, median } from './host.ts';
import { ms, ratio, type Figure } from './table.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** A verb as a whole process, beside a Node that does nothing. */
export async function verbs(): Promise<readonly Figure[]> {
  await using bench = new Bench();
  await bench.emperor();
  const time = (args: readonly string[]): number => median(Array.from({ length: 15 }, () => {
    const from = performance.now();
    execFileSync(process.execPath, args, { stdio: 'ignore' });
    return performance.now() - from;
  }));
  const floor = time(['-e', '0']);
  const ours = time([MAIN, 'status', '--control', bench.control]);
  return [{ what: 'emperor status, as a whole process (median)', ours: ms(ours), floor: `${ms(floor)} (node -e 0)`, ratio: ratio(ours, floor), target: '≤ 150 ms' }];
}
