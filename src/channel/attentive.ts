import { readFileSync } from 'node:fs';
import { readProcessStat } from '../kernel/process-stat.ts';

/** SIGHUP in the masks of /proc/PID/status, proc_pid_status(5): the first bit. */
const IGNORES_HUP = /^SigIgn:\s+[0-9a-f]*[13579bdf]$/m;

/**
 * Whether all processes of a uWSGI can be told something by their master. It tells its workers by signals; until each has come to where it takes requests
 * it ignores HUP, and a command that the master gets before costs it its whole mercy (60 s). That its first worker accepts says nothing of the others,
 * and even of that one it is said a moment too early. What it started into sessions of their own, as an emperor does its vassals, is not meant. Source: seen in 2.0.21, with 2 to 4 workers: half of the reloads that were told at once hung.
 * @param pid of its master
 */
export function isAttentive(pid: number): boolean {
  return [String(pid), ...childrenOf(pid)].every((each) => !IGNORES_HUP.test(read(`/proc/${each}/status`)));
}

/** proc_pid_task(5). Where the kernel does not tell, the master alone is asked. */
function childrenOf(pid: number): readonly string[] {
  const session = readProcessStat(pid)?.session;
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter((each) => each !== '' && readProcessStat(Number(each))?.session === session);
}

/** Empty: it has gone meanwhile, or may not be read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
