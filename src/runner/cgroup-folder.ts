import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { errnoOf, reasonOf } from '../errors.ts';
import { makeFolder } from '../world/make-folder.ts';
import type { Controller } from './limit-files.ts';

/** Where the leaves of instances are to be. */
export interface CgroupFolder {
  readonly folder: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** What it takes to find out. */
export interface CgroupSearch {
  /** `auto`: below the emperor's own cgroup, if that was delegated to it. `none`: no cgroups. Else the folder of a cgroup that may be used. */
  readonly wanted: string;
  /** The emperor's state folder: each has its own leaves. */
  readonly state: string;
  /** Whether a cgroup that can be written to was handed over to who runs in it. */
  readonly isDelegated: (folder: string) => boolean;
  /** Told, for people, when cgroups that should be there cannot be used. */
  readonly onTrouble: (message: string) => void;
}

const WANTED: readonly Controller[] = ['cpu', 'memory', 'pids'];

/** The cgroup in which the emperor itself is, where it has to be in one of its own: a cgroup whose controllers are enabled for others holds no process, cgroups(7). */
export const OWN_LEAF = 'emperor-main';

/**
 * Finds and prepares the cgroup for the instances of a state folder. A service of systemd that is not started in a leaf of its cgroup gets no controllers. null: there is none that could be
 * used. Costs some ten file operations.
 */
export function prepareCgroup({ wanted, state, isDelegated, onTrouble }: CgroupSearch): CgroupFolder | null {
  if (wanted === 'none') return null;
  const own = ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  const base = wanted === 'auto' ? delegated(own, isDelegated) : wanted;
  if (base === null) return null;
  const folder = join(base, `emperor-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`);
  try {
    makeFolder(folder, 0o755);
    if (!existsSync(join(folder, 'cgroup.kill'))) throw new Error('it is no cgroup v2, or this kernel is older than 5.14 and has no cgroup.kill');
    if (mayEnableIn(base, own)) enableIn(base, base === own);
    return { folder, controllers: enableIn(folder, false) };
  } catch (error) {
    onTrouble(`cannot use the cgroup ${base}: ${reasonOf(error)}; instances are kept together by their process groups alone`);
    return null;
  }
}

/** The folder of the cgroup v2 that a process is in, by what /proc/PID/cgroup and /proc/PID/mountinfo say; null: there is none that can be seen. */
export function ownCgroup(cgroups: string, mounts: string): string | null {
  const path = /^0::(\/.*)$/m.exec(cgroups)?.[1];
  // It was moved out of what its namespace shows: cgroup_namespaces(7).
  if (path === undefined || path.startsWith('/..')) return null;
  for (const line of mounts.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = left.split(' ').map(unescape);
    const below = relative(root, path);
    if (right.startsWith('cgroup2 ') && below !== '..' && !below.startsWith('../')) return join(point, below);
  }
  return null;
}

/** Blanks in the paths of mounts are octal: proc_pid_mountinfo(5). */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * Its own, unless it has put itself into a leaf: then the one above. That is ours, too, if it says so: systemd can start a unit in a leaf
 * (DelegateSubgroup= of systemd.resource-control(5)). Above the first cgroup that can be seen, as in a container, there is nobody whose it could be.
 */
function delegated(own: string | null, isDelegated: (folder: string) => boolean): string | null {
  if (own === null) return null;
  const first = basename(own) === OWN_LEAF ? dirname(own) : own;
  if (isWritable(first) && (isDelegated(first) || !existsSync(join(first, '..', 'cgroup.procs')))) return first;
  return first === own && isWritable(dirname(own)) && isDelegated(dirname(own)) ? dirname(own) : null;
}

function isWritable(folder: string): boolean {
  try {
    for (const path of [folder, join(folder, 'cgroup.procs')]) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether controllers may be enabled in a cgroup. Not in that of a service which was started in it: systemd starts the next process of the service there, too, and with
 * controllers and instances below that would fail until the last of them has ended, cgroups(7), "no internal processes".
 */
export function mayEnableIn(base: string, own: string | null): boolean {
  return base !== own || !basename(base).endsWith('.service');
}

/** Enables what controllers there are for the cgroups in this one. @returns those that are enabled then */
function enableIn(folder: string, holdsUs: boolean): ReadonlySet<Controller> {
  const words = (name: string): readonly string[] => readFileSync(join(folder, name), 'utf8').split(/\s+/);
  const available = words('cgroup.controllers');
  const enabled = words('cgroup.subtree_control');
  for (const each of WANTED.filter((name) => available.includes(name) && !enabled.includes(name))) {
    if (enable(folder, each) || !holdsUs) continue;
    makeFolder(join(folder, OWN_LEAF), 0o755);
    writeFileSync(join(folder, OWN_LEAF, 'cgroup.procs'), '0');
    enable(folder, each);
  }
  const now = words('cgroup.subtree_control');
  return new Set(WANTED.filter((name) => now.includes(name)));
}

/** False: there are processes in it. What else speaks against it costs the limit alone. */
function enable(folder: string, controller: Controller): boolean {
  try {
    writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'EBUSY';
  }
}
