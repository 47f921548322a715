import { hash } from 'node:crypto';
import type { Basis } from '../core/basis.ts';
import type { Event } from '../core/event.ts';
import type { Declaration, Look, Outcome, SeenFile, VassalId } from '../core/listing.ts';
import type { VassalSpec } from '../core/spec.ts';
import type { Fault } from '../core/fault.ts';
import type { Clock } from '../world/clock.ts';
import type { AwaitsCommand } from './awaits-command.ts';
import { folderOf, splitDefaults, troubleWith } from './folder-defaults.ts';
import { askAddresses, askPrograms, type Ask, type AskAddress, type Questions } from './programs.ts';

/** What turns a file into a declaration. */
export interface Judges {
  /** Text to spec, or faults. Pure. */
  readonly parse: (file: { readonly id: VassalId; readonly name: string; readonly text: string; readonly basis?: Basis }) => Outcome;
  /** What a text with defaults is compared by, see `meaning`. Absent: by itself. */
  readonly meaning?: (file: { readonly id: VassalId; readonly text: string; readonly basis: Basis }, hash: string) => string;
  /** Absent: no file is a program. */
  readonly ask?: Ask;
  /** Absent: no file waits for its first connection but as it says itself. */
  readonly askAddress?: AskAddress;
  /** Users whose defaults count where files have owners. Absent: root. */
  readonly trusted?: ReadonlySet<number>;
  /** Absent: none does. */
  readonly awaitsCommand?: AwaitsCommand;
  /** Can this host run it? `missing`: the paths whose appearance could heal what is at fault. */
  readonly vet: (id: VassalId, spec: VassalSpec) => { readonly faults: readonly Fault[]; readonly missing: readonly string[] };
  /** Calls back once when one of the paths appears or changes. The returned function ends the watch. */
  readonly awaitAppearance: (paths: readonly string[], onAppear: () => void) => () => void;
}

/** Between the monitors, which read, and the core, which decides: files become declarations. */
export interface Declarer extends Disposable {
  /** A monitor has looked. */
  look(source: string, look: Look): void;
  /** Resolves when all that the monitors saw until now was told. */
  told(): Promise<void>;
  /** Judges one file again: what it needs on this host may have changed. */
  recheck(id: VassalId): void;
}

/** At the first look: files that are judged before the first of them are told of. While those are being started there is time for the others. Each part is as long as all before it; smaller ones bring nothing (measured). */
const FIRST_PART = 64;

const ROOT_ALONE: ReadonlySet<number> = new Set([0]);

/**
 * Parses and vets each file once: the same {@link SeenFile} object gives the same declaration, so a listing of
 * thousands with one change costs one parse. A file that lacks something on this host is judged again when it appears.
 */
export function createDeclarer(judges: Judges, clock: Pick<Clock, 'soon'>, post: (event: Event) => void): Declarer {
  const files = new Map<string, readonly SeenFile[]>();
  const known = new WeakMap<SeenFile, { readonly declaration: Declaration; readonly defaults: SeenFile | undefined }>();
  /** By source. */
  const questions = new Map<string, { readonly programs: Questions | null; readonly addresses: Questions | null }>();
  /** The last look at each source, as it came. */
  const looks = new Map<string, readonly SeenFile[]>();
  /** By source, then by folder. */
  const defaults = new Map<string, ReadonlyMap<string, SeenFile>>();
  const waits = new Map<VassalId, () => void>();
  /** What is known at the first look at a source while something is still asked about. */
  const shown = new Map<string, readonly SeenFile[]>();
  /** What is being told of each source; a newer look takes its place. */
  const telling = new Map<string, readonly SeenFile[]>();
  let onceTold: (() => void)[] = [];
  const trusted = judges.trusted ?? ROOT_ALONE;

  function declare(source: string, file: SeenFile): Declaration {
    const shared = defaults.get(source)?.get(folderOf(file));
    const cached = known.get(file);
    if (cached !== undefined && cached.defaults === shared) return cached.declaration;
    const basis = basisOf(file, shared);
    const text = file.content.ok ? file.content.text : '';
    const declaration: Declaration = {
      id: file.id,
      name: file.name,
      stamp: file.stamp,
      hash: hashOf(file, shared, basis),
      text,
      ...(basis === undefined ? {} : { basis }),
      ...(judges.awaitsCommand?.(file) === true ? { awaitsCommand: true } : {}),
      outcome: judge(file, shared, basis),
    };
    known.set(file, { declaration, defaults: shared });
    return declaration;
  }

  function hashOf(file: SeenFile, shared: SeenFile | undefined, basis: Basis | undefined): string {
    if (file.hash === '' || shared === undefined || !file.content.ok) return file.hash;
    const trouble = troubleWith(shared, trusted);
    const meaning = trouble !== null ? `${file.hash} ${trouble.message}` : judges.meaning?.({ id: file.id, text: file.content.text, basis: basis ?? {} }, file.hash) ?? file.hash;
    return meaning === file.hash ? meaning : hash('sha256', meaning, 'hex');
  }

  function judge(file: SeenFile, shared: SeenFile | undefined, basis: Basis | undefined): Outcome {
    forgetWait(file.id);
    if (!file.content.ok) return { ok: false, faults: [file.content.fault] };
    const trouble = shared === undefined ? null : troubleWith(shared, trusted);
    if (trouble !== null) return { ok: false, faults: [trouble] };
    const outcome = judges.parse({ id: file.id, name: file.name, text: file.content.text, ...(basis === undefined ? {} : { basis }) });
    if (!outcome.ok) return outcome;
    const { faults, missing } = judges.vet(file.id, outcome.spec);
    if (faults.length === 0) return outcome;
    if (missing.length > 0) waits.set(file.id, judges.awaitAppearance(missing, () => recheck(file.id)));
    return { ok: false, faults };
  }

  function forgetWait(id: VassalId): void {
    waits.get(id)?.();
    waits.delete(id);
  }

  function recheck(id: VassalId): void {
    for (const [source, seen] of files) {
      const file = seen.find((each) => each.id === id);
      if (file === undefined) continue;
      known.delete(file);
      tell(source, seen);
    }
    for (const [source, seen] of shown) show(source, seen.filter((each) => each.id === id && known.delete(each)));
  }

  /** Some files of a listing that is not complete yet. */
  function show(source: string, part: readonly SeenFile[]): void {
    if (part.length > 0) post({ type: 'showing', source, declarations: part.map((file) => declare(source, file)) });
  }

  function tell(source: string, seen: readonly SeenFile[], inParts = false): void {
    telling.set(source, seen);
    tellFrom(source, seen, 0, inParts);
  }

  function tellFrom(source: string, seen: readonly SeenFile[], from: number, inParts: boolean): void {
    if (telling.get(source) !== seen) return;
    const atMost = inParts ? Math.max(FIRST_PART, from) : Infinity;
    const part: Declaration[] = [];
    let judged = 0;
    for (const file of seen.slice(from)) {
      if (judged >= atMost) break;
      if (!known.has(file)) judged += 1;
      part.push(declare(source, file));
    }
    const end = from + part.length;
    if (end < seen.length) {
      post({ type: 'showing', source, declarations: part });
      clock.soon(() => tellFrom(source, seen, end, inParts));
      return;
    }
    post({ type: 'listed', source, declarations: seen.map((file) => declare(source, file)) });
    endTelling(source);
  }

  function endTelling(source: string): void {
    telling.delete(source);
    if (telling.size > 0) return;
    for (const resolve of onceTold) resolve();
    onceTold = [];
  }

  function questionsOf(source: string): { readonly programs: Questions | null; readonly addresses: Questions | null } {
    const found = questions.get(source) ?? { programs: judges.ask === undefined ? null : askPrograms(judges.ask), addresses: judges.askAddress === undefined ? null : askAddresses(judges.askAddress) };
    questions.set(source, found);
    return found;
  }

  function lookAt(source: string, all: readonly SeenFile[]): void {
    const { programs, addresses } = questionsOf(source);
    const again = (): void => {
      if (looks.get(source) === all) lookAt(source, all);
    };
    const printed = programs?.read(all, again) ?? { files: all, missing: false };
    const { vassals, defaults: shared } = splitDefaults(printed.files);
    const { files: seen, missing } = addresses?.read(vassals, again) ?? { files: vassals, missing: false };
    defaults.set(source, shared);
    // What is left out of a first listing would count as gone: it is not told as one before all is answered.
    if ((printed.missing || missing) && !files.has(source)) {
      telling.set(source, all);
      shown.set(source, seen);
      show(source, seen);
      return;
    }
    shown.delete(source);
    if (waits.size > 0) {
      const gone = new Set(files.get(source)?.map((each) => each.id));
      for (const file of seen) gone.delete(file.id);
      for (const id of gone) forgetWait(id);
    }
    // Later on what goes has to go first: a file that was renamed wants the port of the old one.
    const inParts = !files.has(source);
    files.set(source, seen);
    tell(source, seen, inParts);
  }

  return {
    look(source, look) {
      if (look.kind === 'blind') {
        looks.delete(source);
        shown.delete(source);
        endTelling(source);
        post({ type: 'blind', source, reason: look.reason });
        return;
      }
      looks.set(source, look.files);
      lookAt(source, look.files);
    },
    told: () => new Promise((resolve) => {
      if (telling.size === 0) resolve();
      else onceTold.push(resolve);
    }),
    recheck,
    [Symbol.dispose]() {
      telling.clear();
      looks.clear();
      for (const resolve of onceTold.splice(0)) resolve();
      for (const end of waits.values()) end();
      waits.clear();
    },
  };
}

/** So many files are read faster by code that is optimised for it. */
const MANY_FILES = 100;

/** A listing of many files. */
export function isLong(look: Look): boolean {
  return look.kind === 'listing' && look.files.length >= MANY_FILES;
}

/** What the text of a file is read with. */
function basisOf({ owner, executable, address }: SeenFile, shared: SeenFile | undefined): Basis | undefined {
  const basis: Basis = {
    ...(owner === undefined ? {} : { owner }),
    ...(shared?.content.ok === true ? { defaults: { file: shared.id, text: shared.content.text } } : {}),
    ...(executable === true ? { printed: true } : {}),
    ...(address === undefined ? {} : { address }),
  };
  return Object.keys(basis).length === 0 ? undefined : basis;
}
