import type { SeenFile } from '../core/listing.ts';
import type { Leases } from '../kernel/lease.ts';
import type { Clock } from '../world/clock.ts';
import { createAnnouncer, type Announcer, type News } from './announcer.ts';
import { isDoubtful } from './entries.ts';
import type { Hint, Hints } from './hints.ts';
import { PLAIN, type Manner } from './manner.ts';
import type { Monitor } from './monitor.ts';
import type { Selection, Survey } from './selection.ts';
import { GRACE_MS } from './settle.ts';
import { createSightings } from './sightings.ts';
import { createSignposts } from './signposts.ts';
import { stretches, turnOver } from './stretches.ts';
import type { Trust } from './trust.ts';
import { watchFolders } from './watched-folders.ts';

/** What a monitor of files works with. */
export interface MonitorTools {
  readonly clock: Clock;
  readonly hints: Hints;
  readonly leases: Leases;
  /** null: it does not matter who can write the files. */
  readonly trust: Trust | null;
  /** Absent: plainly. */
  readonly manner?: Manner;
  /** Everything is looked at again after this, hint or no hint, for lost hints and network file systems. 0: only on hints. */
  readonly rescanMs: number;
  /** Told, for people, of what keeps a file from being taken. */
  readonly onTrouble: (message: string) => void;
}

/** How often everything is looked at where some folder cannot be watched. */
const DEAF_RESCAN_MS = 5_000;
/** The first listing waits this long for files that are being written: one that is left out would count as removed. */
const FIRST_HOLD_MS = 1_000;
/** After a look at everything, files that are about to be complete are told together with the others. */
const HOLD_MS = 250;
/** Work at one stretch, before others have their turn of the event loop. */
const STRETCH_MS = 5;
/** Times that a survey is repeated because new folders had to be watched first. */
const MOST_ROUNDS = 8;
/** Among the travellers: the source itself, on the road to its folders. */
const ITSELF = '';

/** Why to look at everything. `switched`: a name on the road to the source has changed. */
type Cause = 'routine' | 'switched' | 'asked';

/**
 * Watches the files that a selection consists of: hints say where to look, and a look at everything makes up for hints that were lost.
 *
 * A hint about one file: that file alone is looked at, at the end of this turn of the event loop.
 * A hint about a name on the road, or without a name: everything is looked at; folders that are new are watched before.
 */
export function openFileMonitor(selection: Selection, tools: MonitorTools): Monitor {
  const { clock } = tools;
  const signposts = createSignposts();
  /** Symlinks with a new road, whose folders may not be watched yet. */
  const strangers = new Set<string>();
  const sightings = createSightings(clock, tools.leases, tools.trust, {
    onRoad: (path, road) => {
      if (signposts.set(path, road)) strangers.add(path);
    },
    onLost: () => lookAgain('routine'),
    onHeldUp: (path, why) => tools.onTrouble(`${path} cannot be taken yet: ${why}; it is tried again and again`),
  }, tools.manner);
  const folders = watchFolders(tools.hints, onHint);
  const causes = new Set<Cause>();
  const timers = new Map<'alarm' | 'routine' | 'return', () => void>();

  let announcer: Announcer | null = null;
  let survey: Survey | null = null;
  let nameless: readonly SeenFile[] = [];
  /** Counts what sightings cannot count. */
  let changes = 0;
  /** The first listing is still to come. */
  let first = true;
  let work: Promise<void> | null = null;
  /** How often everything is looked at. */
  let routineMs = 0;
  /** What the hints of this turn were about. */
  let turning = false;
  let closed = false;

  function onHint(folder: string, { kind, name }: Hint): void {
    for (const traveller of signposts.at(folder, name)) {
      if (traveller === ITSELF) causes.add('switched');
      else sightings.hint(traveller, kind);
      soon();
    }
    const listed = survey?.folders.get(folder);
    if (listed === undefined) return;
    soon();
    for (const named of listed) {
      if (name === null || isDoubtful(name)) {
        causes.add('routine');
        continue;
      }
      const path = named === '/' ? `/${name}` : `${named}/${name}`;
      const concern = selection.concerns(path);
      if (concern === 'file') sightings.hint(path, kind);
      if (concern === 'survey') causes.add('routine');
    }
  }

  /** At the end of this turn of the event loop, when all hints that are there have come in. */
  function soon(): void {
    if (turning || closed) return;
    turning = true;
    clock.soon(() => {
      turning = false;
      turn();
    });
  }

  function turn(): void {
    if (closed || announcer === null) return;
    tools.trust?.renew();
    sightings.lookAtDue(STRETCH_MS);
    if (work === null && (causes.size > 0 || strangers.size > 0)) {
      work = lookAround(announcer).finally(() => {
        work = null;
        soon();
      });
    }
    if (first && announcer.impatient(news())) sightings.giveUpWaiting();
    announcer.announce(news());
    arm(announcer);
  }

  function news(): News {
    return {
      version: sightings.version() + changes,
      waiting: sightings.waiting(),
      working: work !== null,
      list: () => [...sightings.list(), ...nameless],
    };
  }

  function arm(announcer: Announcer): void {
    const dueMs = Math.min(sightings.nextDue() ?? Infinity, announcer.nextDue(news()) ?? Infinity);
    if (dueMs === Infinity) return set('alarm', null, turn);
    if (dueMs <= 0) return soon();
    set('alarm', Math.max(0, dueMs - clock.now().ms), turn);
  }

  function set(timer: 'alarm' | 'routine' | 'return', delayMs: number | null, callback: () => void): void {
    timers.get(timer)?.();
    timers.delete(timer);
    if (delayMs !== null && !closed) timers.set(timer, clock.after(delayMs, callback));
  }

  function lookAgain(cause: Cause): void {
    causes.add(cause);
    soon();
  }

  async function lookAround(announcer: Announcer): Promise<void> {
    let complete = false;
    while (causes.size > 0 || strangers.size > 0) {
      const now = new Set(causes);
      causes.clear();
      complete ||= now.size > 0;
      if (now.size > 0) await lookAtAll(now, announcer);
      else await meetStrangers();
      if (closed) return;
    }
    const everyMs = folders.deaf() ? Math.min(DEAF_RESCAN_MS, tools.rescanMs || DEAF_RESCAN_MS) : tools.rescanMs;
    if (!complete && everyMs === routineMs) return;
    routineMs = everyMs;
    set('routine', everyMs > 0 ? everyMs : null, () => lookAgain('routine'));
  }

  async function lookAtAll(now: ReadonlySet<Cause>, announcer: Announcer): Promise<void> {
    const before = survey;
    if (now.has('asked') || now.has('switched')) announcer.hold(HOLD_MS);
    const found = distrusted(await watchedSurvey(), tools.trust, tools.manner);
    if (closed) return;
    if (found.blind !== null) {
      // `ln -sfn` of old removes the link before it makes the new one.
      if (now.has('switched')) set('return', GRACE_MS, () => lookAgain('routine'));
      else announcer.blind(found.blind);
      return;
    }
    set('return', null, turn);
    if (before !== null && (before.blind !== null || !sameFolders(before, found))) announcer.hold(HOLD_MS);
    if (!sameNames(found.nameless, nameless)) {
      nameless = found.nameless;
      changes += 1;
    }
    // A survey of thousands is a stretch of its own.
    await turnOver(clock);
    const files = new Set(found.files);
    const rest = stretches(clock, STRETCH_MS);
    for (const path of files) {
      sightings.scan(path);
      await rest();
      if (closed) return;
    }
    // What vanished just now has a hint on its way, which allows for its return.
    await turnOver(clock);
    for (const { id } of sightings.list()) {
      if (!files.has(id) && !found.dark.some((folder) => id.startsWith(`${folder}/`))) sightings.missed(id);
      await rest();
      if (closed) return;
    }
    announcer.sighted();
  }

  /** Surveys until all folders that matter are watched, so that no change can slip through between the two. */
  async function watchedSurvey(): Promise<Survey> {
    let found = selection.survey();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      survey = found;
      signposts.set(ITSELF, found.signposts);
      const fresh = await folders.keep(allFolders());
      if (fresh.length === 0 || closed) break;
      found = selection.survey();
    }
    survey = found;
    return found;
  }

  /** Watches the folders that new symlinks lead through, and looks at those again that may have changed before. */
  async function meetStrangers(): Promise<void> {
    const met = [...strangers];
    strangers.clear();
    const fresh = await folders.keep(allFolders());
    if (fresh.length === 0 || closed) return;
    const unheard = new Set(fresh.flatMap((folder) => [...signposts.at(folder, null)]));
    for (const path of met) if (unheard.has(path)) sightings.scan(path);
  }

  function allFolders(): ReadonlySet<string> {
    return new Set([...(survey?.folders.keys() ?? []), ...signposts.folders()]);
  }

  return {
    source: selection.source,
    async start(post) {
      announcer = createAnnouncer(clock, post);
      announcer.hold(FIRST_HOLD_MS);
      lookAgain('asked');
      await announcer.told();
      first = false;
    },
    async rescan() {
      if (closed || announcer === null) return;
      lookAgain('asked');
      await announcer.told();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      folders[Symbol.dispose]();
      announcer?.close();
      await work;
    },
  };
}

/** A survey is blind if none of its folders can be trusted. Where only some cannot, or files run as their owners, each file in them is told as a fault. */
function distrusted(found: Survey, trust: Trust | null, { tyrant }: Manner = PLAIN): Survey {
  trust?.renew();
  const folders = [...found.folders.values()].flat();
  if (trust === null || tyrant !== null || found.blind !== null || folders.length === 0) return found;
  const [first, ...others] = folders.map((folder) => trust.folder(folder));
  return first === null || first === undefined || others.includes(null) ? found : { ...found, blind: `${first.message}; ${first.hint}` };
}

function sameFolders(a: Survey, b: Survey): boolean {
  return a.folders.size === b.folders.size && [...a.folders.keys()].every((folder) => b.folders.has(folder));
}

function sameNames(a: readonly SeenFile[], b: readonly SeenFile[]): boolean {
  return a.length === b.length && a.every((file, at) => file.id === b[at]?.id && file.stamp === b[at].stamp);
}
