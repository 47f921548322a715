import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SeenFile } from '../core/listing.ts';
import type { Leases } from '../kernel/lease.ts';
import type { Clock } from '../world/clock.ts';
import { glance, sealOf, type Glance } from './glance.ts';
import type { HintKind } from './hints.ts';
import { lookAtFile, unfinished, type FileLook } from './look-at-file.ts';
import type { Signpost } from './road.ts';
import { ownerIn, PLAIN, type Manner } from './manner.ts';
import { judge, QUIET_MS, type Told, type Waiting } from './settle.ts';
import type { Trust } from './trust.ts';

/** The files of one source as they may be told, and those whose change is not complete yet. */
export interface Sightings {
  /** Something happened to the path. It is looked at by the next {@link lookAtDue}. */
  hint(path: string, kind: HintKind): void;
  /** Looks at the path if its inode has changed since it was told. */
  scan(path: string): void;
  /** The path is not among those that were found: forgets it at once, unless it is there all the same or on its way. */
  missed(path: string): void;
  /** Looks at the paths that are due. Stops when `budgetMs` is used up. */
  lookAtDue(budgetMs: number): void;
  /** Tells of files that have never been told since they never hold still, as being unreadable. */
  giveUpWaiting(): void;
  /** When {@link lookAtDue} has something to do next, monotonic; 0: in the next turn of the event loop; null: never. */
  nextDue(): number | null;
  /** Paths that wait for their change to be complete. */
  waiting(): number;
  /** Grows with each change of {@link list}. */
  version(): number;
  /** What may be told, in the order of the paths. */
  list(): SeenFile[];
}

interface Known {
  /** Empty for a file that was told as unfinished. */
  readonly seal: string;
  readonly file: SeenFile;
}

interface Pending extends Waiting {
  readonly dueMs: number;
  /** The last look found it being written. */
  readonly busy: boolean;
  /** That it waits for long was told. */
  readonly heldUp: boolean;
}

/** What sightings come upon beside the files. */
export interface Asides {
  /** Where a symlink leads through, at each look at one; no signposts: it is none (any more). */
  readonly onRoad: (path: string, signposts: readonly Signpost[]) => void;
  /** A file is gone and its folder, too: it may be the whole source that cannot be seen. The file is kept until {@link Sightings.missed}. */
  readonly onLost: () => void;
  /** A file could not be looked at for {@link HELD_UP_MS}: somebody keeps it open for writing, or the host lacks something. Told once for each change. */
  readonly onHeldUp: (path: string, why: string) => void;
}

/** Whoever saves a file is done by then. */
const HELD_UP_MS = 3_000;

/** Nothing has been seen yet. */
export function createSightings(clock: Clock, leases: Leases, trust: Trust | null, { onRoad, onLost, onHeldUp }: Asides, manner: Manner = PLAIN): Sightings {
  const known = new Map<string, Known>();
  const pending = new Map<string, Pending>();
  /** The files of `known` by path: a copy of it costs a hundredth of sorting anew. */
  const sorted: SeenFile[] = [];
  let version = 0;

  function put(path: string, seal: string, file: SeenFile): void {
    const at = placeOf(path, sorted);
    sorted.splice(at, known.has(path) ? 1 : 0, file);
    known.set(path, { seal, file });
    version += 1;
  }

  function look(path: string, waiting: Waiting & { readonly heldUp?: boolean }): void {
    const now = clock.now();
    const told = toldOf(known.get(path));
    const seen = lookAtFile(path, leases, told !== null, trust, manner);
    const verdict = judge(seen, told, waiting, now);
    if (seen.kind !== 'absent') onRoad(path, seen.signposts);
    if (verdict.kind === 'complete') {
      pending.delete(path);
      if (seen.kind === 'absent' && known.has(path) && !existsSync(dirname(path))) onLost();
      else tell(path, seen);
      return;
    }
    const heldUp = seen.kind === 'busy' && now.ms - waiting.sinceMs >= HELD_UP_MS;
    if (seen.kind === 'busy' && heldUp && waiting.heldUp !== true) onHeldUp(path, seen.why);
    const gone = seen.kind === 'absent' || (seen.kind === 'seen' && seen.state.kind === 'astray');
    pending.set(path, {
      ...waiting,
      sinceMs: seen.kind === 'seen' && !waiting.hinted && waiting.seal !== seen.seal ? now.ms : waiting.sinceMs,
      looks: waiting.looks + 1,
      goneMs: gone ? (waiting.goneMs ?? now.ms) : null,
      seal: seen.kind === 'seen' ? seen.seal : null,
      busy: seen.kind === 'busy',
      heldUp: heldUp || waiting.heldUp === true,
      dueMs: verdict.afterMs === 0 ? 0 : now.ms + verdict.afterMs,
    });
  }

  function tell(path: string, seen: FileLook): void {
    if (seen.kind === 'busy') return;
    if (seen.kind === 'absent') {
      onRoad(path, []);
      if (!known.delete(path)) return;
      sorted.splice(placeOf(path, sorted), 1);
      version += 1;
      return;
    }
    const before = known.get(path);
    if (before !== undefined && (alike(before.file, seen.file) || (manner.nofollow && sameLink(before, seen)))) known.set(path, { seal: seen.seal, file: before.file });
    else put(path, seen.seal, seen.file);
  }

  /** Of what leads to a file its own inode does not tell. */
  function doubts(seen: Glance, path: string): boolean {
    return trust !== null && seen.kind === 'file' && trust.file(path, seen.stats, seen.link, ownerIn(manner, seen.stats, seen.link)) !== null;
  }

  return {
    hint(path, kind) {
      const now = clock.now();
      const before = pending.get(path);
      const waiting: Waiting = {
        sinceMs: now.ms,
        hinted: true,
        written: (before?.written ?? false) || kind === 'content',
        looks: 0,
        goneMs: before?.goneMs ?? null,
        seal: before?.seal ?? null,
      };
      // While it is being written, each write is a hint: one look after the last of them is enough.
      const more = kind === 'content' && before !== undefined && before.goneMs === null && before.looks > 0;
      pending.set(path, { ...waiting, busy: before?.busy ?? false, heldUp: before?.heldUp ?? false, dueMs: more ? now.ms + (before.busy ? 1 : QUIET_MS) : 0 });
    },
    scan(path) {
      if (pending.has(path)) return;
      const before = known.get(path);
      const seen = glance(path);
      if (before !== undefined && before.seal !== '' && before.seal === sealOf(seen) && isDoubted(before.file) === doubts(seen, path)) return;
      look(path, { sinceMs: clock.now().ms, hinted: false, written: false, looks: 0, goneMs: null, seal: null });
    },
    missed(path) {
      if (pending.has(path)) return;
      const seen = lookAtFile(path, leases, false, trust, manner);
      if (seen.kind === 'absent') tell(path, seen);
    },
    lookAtDue(budgetMs) {
      const startMs = clock.now().ms;
      for (const [path, each] of pending) {
        const nowMs = clock.now().ms;
        if (nowMs - startMs > budgetMs) return;
        if (each.dueMs <= nowMs) look(path, each);
      }
    },
    giveUpWaiting() {
      for (const path of pending.keys()) {
        if (known.has(path)) continue;
        const seen = lookAtFile(path, leases, false, trust, manner);
        if (seen.kind === 'absent') continue;
        put(path, '', unfinished(path, seen.kind === 'busy' ? seen.why : 'it was changed a moment ago'));
      }
    },
    nextDue() {
      let earliest = Infinity;
      for (const { dueMs } of pending.values()) earliest = Math.min(earliest, dueMs);
      return earliest === Infinity ? null : earliest;
    },
    waiting: () => pending.size,
    version: () => version,
    list: () => sorted.slice(),
  };
}

function isDoubted({ content }: SeenFile): boolean {
  return !content.ok && content.fault.code === 'E_FILE_WRITABLE';
}

function toldOf(known: Known | undefined): Told | null {
  if (known === undefined) return null;
  const { file, seal } = known;
  return { hash: file.hash, ok: file.content.ok, identity: seal.slice(0, Math.max(0, seal.indexOf(' '))) };
}

/** It is the same symlink with the same owner as it was told; what is behind it does not count. */
function sameLink(before: Known, seen: FileLook & { readonly kind: 'seen' }): boolean {
  const link = linkIn(seen.seal);
  return link !== '' && link === linkIn(before.seal) && before.file.content.ok && sameTraits(before.file, seen.file);
}

/** The part of a seal that is the symlink's own; empty: it is none. */
function linkIn(seal: string): string {
  const at = seal.indexOf('>');
  return at < 0 ? '' : seal.slice(at);
}

function sameTraits(a: SeenFile, b: SeenFile): boolean {
  return a.owner?.uid === b.owner?.uid && a.owner?.gid === b.owner?.gid && a.executable === b.executable;
}

function alike(a: SeenFile, b: SeenFile): boolean {
  if (a.stamp !== b.stamp || a.hash !== b.hash || !sameTraits(a, b)) return false;
  if (a.content.ok || b.content.ok) return a.content.ok === b.content.ok;
  return a.content.fault.code === b.content.fault.code && a.content.fault.message === b.content.fault.message;
}

/** Where a path is in the files, or would have to be put in. */
function placeOf(path: string, files: readonly SeenFile[]): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((files[middle]?.id ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
