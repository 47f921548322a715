import type { Limits } from '../core/spec.ts';

/** A controller of cgroup v2 that a limit needs. */
export type Controller = 'memory' | 'cpu' | 'pids';

/** One file of a cgroup, and what is to be written into it. `optional`: not every kernel has it. */
export interface LimitFile {
  readonly name: string;
  readonly value: string;
  readonly optional: boolean;
}

/** The period in which processor time is counted, µs; the kernel's own default. */
const PERIOD_US = 100_000;

/**
 * What limits are in the files of a cgroup: Documentation/admin-guide/cgroup-v2.rst of Linux. Swap is not given on top: an instance that
 * has used up its memory would otherwise slow down the whole host with swapping, instead of being killed and told of.
 */
export function limitFiles({ memoryBytes, cpu, tasks }: Limits, has: ReadonlySet<Controller>): readonly LimitFile[] {
  const files: LimitFile[] = [];
  if (memoryBytes !== null && has.has('memory')) {
    files.push({ name: 'memory.max', value: String(memoryBytes), optional: false }, { name: 'memory.swap.max', value: '0', optional: true });
  }
  if (cpu !== null && has.has('cpu')) files.push({ name: 'cpu.max', value: `${Math.round(cpu * PERIOD_US)} ${PERIOD_US}`, optional: false });
  if (tasks !== null && has.has('pids')) files.push({ name: 'pids.max', value: String(tasks), optional: false });
  return files;
}

/** A number behind a key in a file of lines like `oom_kill 3`; null: it is not there. */
export function numberOf(text: string | null, key: string): number | null {
  const found = text?.split('\n').find((line) => line.startsWith(`${key} `));
  const number = Number(found?.slice(key.length + 1));
  return Number.isInteger(number) ? number : null;
}
