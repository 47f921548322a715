import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { InstanceId, Proof } from '../core/state.ts';
import { MARKS } from './environment.ts';
import { readProcessStat } from '../kernel/process-stat.ts';
import { bornMs, readBootId, uptimeMs } from './proc.ts';

/** A process that bears the marks of an instance. Its children inherit them, so several may be of one instance. */
export interface MarkedProcess {
  readonly process: Proof;
  readonly leadsSession: boolean;
  readonly vassalName: string;
  /** Id of the instance that it belongs to. */
  readonly instance: string;
}

/**
 * Finds what instances of this state folder are running, by the environment that they were started with: proc_pid_environ(5). So the next
 * emperor finds what was started and not recorded. Costs about 20 µs for each process of the host. Not found are processes of other users, unless
 * we are root, and programs that wrote over their environment.
 * @param state the emperor's state folder, as it was given to the runner
 */
export function findMarked(state: string): MarkedProcess[] {
  const bootId = readBootId();
  const marked: MarkedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const environment = readEnvironment(pid);
    if (!isMarked(environment, state) || !isOfThisHost(pid)) continue;
    const stat = readProcessStat(pid);
    if (stat === null) continue;
    marked.push({
      process: { pid, startTicks: stat.startTicks, bootId },
      leadsSession: stat.session === pid,
      vassalName: valueOf(environment, MARKS.vassal),
      instance: valueOf(environment, MARKS.instance),
    });
  }
  return marked;
}

/** The first process of an instance, found by its marks. */
export interface FoundInstance {
  readonly process: Proof;
  readonly vassalName: string;
  /** Since its start. */
  readonly ageMs: number;
}

/**
 * The instances of this state folder that run, whatever is recorded of them. The first process of an instance leads a session; a child
 * of it may have made a session of its own, but later.
 */
export function findInstances(state: string): ReadonlyMap<InstanceId, FoundInstance> {
  const found = new Map<InstanceId, FoundInstance>();
  const nowMs = uptimeMs();
  for (const { process, leadsSession, vassalName, instance } of findMarked(state)) {
    const id = instance as InstanceId;
    const known = found.get(id);
    if (!leadsSession || (known !== undefined && known.process.startTicks <= process.startTicks)) continue;
    found.set(id, { process, vassalName, ageMs: Math.max(0, nowMs - bornMs(process.startTicks)) });
  }
  return found;
}

/** The id of the instance whose marks a process bears; null: it is gone, or of another state folder, or bears none. */
export function instanceMarkOf(pid: number, state: string): string | null {
  const environment = readEnvironment(pid);
  return isMarked(environment, state) && isOfThisHost(pid) ? valueOf(environment, MARKS.instance) : null;
}

/** In a container another emperor may have a state folder of the same path, and root sees its instances, too: pid_namespaces(7). */
function isOfThisHost(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid');
  } catch {
    // It is gone by now, or not ours to look at.
    return false;
  }
}

/** The state folder alone is no mark: it is a setting of emperors as well, which people export in their shells. */
function isMarked(environment: readonly string[], state: string): boolean {
  return environment.includes(`${MARKS.state}=${state}`) && valueOf(environment, MARKS.instance) !== '';
}

function readEnvironment(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // It is gone by now, or not ours to look at.
    return [];
  }
}

function valueOf(environment: readonly string[], name: string): string {
  return environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}
