import { execFileSync } from 'node:child_process';
import { withSystemd } from '../systemd/with-systemd.ts';
import { ms, ratio, type Figure } from './table.ts';

/** The start of a vassal as a transient unit, beside `systemd-run` of the same command, and beside a start of its own. Only where a systemd can be booted for it. */
export function units(): Promise<readonly Figure[]> {
  const tool = withSystemd();
  if (tool === null) {
    process.stderr.write('units: there is no with-systemd, which the variable WITH_SYSTEMD would name\n');
    return Promise.resolve([]);
  }
  const inside = new URL('units-inside.ts', import.meta.url).pathname;
  const text = execFileSync(tool, ['--', process.execPath, inside], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const { floor, direct, unit } = JSON.parse(text) as { readonly floor: number; readonly direct: number; readonly unit: number };
  return Promise.resolve([
    { what: 'file renamed into the folder → process started in a unit (median)', ours: ms(unit), floor: `${ms(floor)} (systemd-run)`, ratio: ratio(unit, floor), target: '≤ systemd-run + 40 ms' },
    { what: 'the same without a unit, under the same systemd', ours: ms(direct), floor: `${ms(floor)} (systemd-run)`, ratio: ratio(direct, floor), target: '≤ 10 ms' },
  ]);
}
