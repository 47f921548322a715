import { printFault, type Fault } from '../../core/fault.ts';
import { printable } from '../../world/printable.ts';

/** What a check found, file by file. */
export interface CheckReport {
  readonly files: readonly { readonly file: string; readonly name: string; readonly faults: readonly Fault[] }[];
}

/** Every fault as a line, and a last line that sums up. Pure. */
export function checkReport({ files }: CheckReport): string {
  const faults = files.flatMap((each) => each.faults);
  const atFault = files.filter((each) => each.faults.length > 0).length;
  const lines = faults.map((fault) => `${fault.code}: ${printable(printFault(fault))}\n`).join('');
  const sum = atFault === 0 ? 'no faults' : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${atFault}`;
  return `${lines}${files.length} ${files.length === 1 ? 'file' : 'files'}, ${sum}\n`;
}
