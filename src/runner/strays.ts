import { readdirSync, readFileSync } from 'node:fs';
import type { InstanceId, Proof } from '../core/state.ts';
import { MARKS } from './environment.ts';
import { ageMs, leadsSession, readBootId, readStartTicks, sessionOf } from './proc.ts';

/** A process that bears the marks of an instance. Its children inherit them, so several may be of one instance. */
export interface MarkedProcess {
  readonly process: Proof;
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
  const mark = `${MARKS.state}=${state}`;
  const marked: MarkedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const environment = readEnvironment(pid);
    if (!environment.includes(mark)) continue;
    const startTicks = readStartTicks(pid);
    if (startTicks === null) continue;
    marked.push({
      process: { pid, startTicks, bootId },
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
  for (const { process, vassalName, instance } of findMarked(state)) {
    const id = instance as InstanceId;
    const known = found.get(id);
    if (!leadsSession(process.pid) || (known !== undefined && known.process.startTicks <= process.startTicks)) continue;
    found.set(id, { process, vassalName, ageMs: ageMs(process.startTicks) });
  }
  return found;
}

/**
 * Ends what is left of instances whose first process has ended while no emperor was there to see it: whatever is in the session that it led, as
 * when an emperor sees it. What has made a session of its own is left alone.
 * @param sessions the first process of each
 */
export function endRemains(state: string, sessions: ReadonlyMap<string, number>): void {
  if (sessions.size === 0) return;
  for (const { process: { pid, startTicks }, instance } of findMarked(state)) {
    if (sessions.get(instance) !== sessionOf(pid) || readStartTicks(pid) !== startTicks) continue;
    end(pid);
  }
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself, or is not ours to end.
    return false;
  }
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
