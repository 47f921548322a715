import { chmodSync, chownSync, closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { VassalSpec } from '../core/spec.ts';
import type { Instance } from '../core/state.ts';
import { errnoOf } from '../errors.ts';

/**
 * For programs that read the vassal file themselves: the text of a revision that is on the disk no more. A copy has the name of the file, in a folder of its own in
 * the state folder, and is as private as the file is.
 */
export interface KeptTexts {
  /** The instance as it is to be launched: it reads the file if that says what it is to run, and a copy of the right text else. Throws what the file system does. */
  readable(instance: Instance): Instance;
  /** Sees to it that what the instance reads when it reloads is what it is to run. @returns false: it reads the file, which says something else */
  renew(instance: Instance): boolean;
  /** A copy with another text, for one short use. @returns its path, and what removes it */
  lend(instance: Instance, text: string): { readonly path: string } & Disposable;
  /** The instance is gone. */
  forget(serial: number): void;
  /** Removes the copies of all others. */
  sweep(living: ReadonlySet<number>): void;
}

type Source = NonNullable<VassalSpec['source']>;

/**
 * @param folder for the copies, absolute
 * @param settle makes a text independent of its folder
 * @param ownerOf whom an instance runs as
 */
export function openKeptTexts(folder: string, settle: (text: string, file: string) => string, ownerOf: (spec: VassalSpec) => { readonly uid: number; readonly gid: number }): KeptTexts {
  const placeOf = (serial: number): string => join(folder, String(serial));
  const copyOf = (serial: number, { file }: Source): string => join(placeOf(serial), basename(file));

  /** In one step: whoever reads it meanwhile has the old one or the new one. */
  function write(path: string, place: string, spec: VassalSpec, source: Source, text: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    mkdirSync(place, { recursive: true, mode: 0o711 });
    const owner = ownerOf(spec);
    const { uid, gid, mode } = statOf(source.file) ?? { ...owner, mode: 0o600 };
    const aside = join(place, '.new');
    writeFileSync(aside, text, { mode: 0o600 });
    if (process.geteuid?.() === 0) chownSync(aside, uid, gid);
    chmodSync(aside, mode & 0o777);
    renameSync(aside, path);
  }

  return {
    readable(instance) {
      const { runs } = instance;
      const { source } = runs.spec;
      if (source === null || textOf(source.file) === source.text) return instance;
      const copy = copyOf(instance.serial, source);
      write(copy, placeOf(instance.serial), runs.spec, source, settle(source.text, source.file));
      const [program, ...words] = runs.spec.argv;
      return { ...instance, runs: { ...runs, spec: { ...runs.spec, argv: [program, ...words.map((word) => (word === source.file ? copy : word))] } } };
    },
    renew({ serial, runs: { spec } }) {
      const { source } = spec;
      if (source === null) return true;
      const copy = copyOf(serial, source);
      if (!existsSync(copy)) return textOf(source.file) === source.text;
      write(copy, placeOf(serial), spec, source, settle(source.text, source.file));
      return true;
    },
    lend({ serial, runs: { spec } }, text) {
      const { source } = spec;
      if (source === null) throw new Error(`revision of instance ${serial} has no text of its own`);
      const place = join(folder, `${serial}-tried`);
      const path = join(place, basename(source.file));
      write(path, place, spec, source, settle(text, source.file));
      return { path, [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }) };
    },
    forget: (serial) => rmSync(placeOf(serial), { recursive: true, force: true }),
    sweep(living) {
      for (const name of listOf(folder)) if (!living.has(Number(name))) rmSync(join(folder, name), { recursive: true, force: true });
    },
  };
}

/** No vassal file is larger. */
const MOST_BYTES = 1024 * 1024;

/** null: it is not there, may not be read, or is no vassal file by now. */
function textOf(file: string): string | null {
  return ifThere(() => {
    // A FIFO may have taken its place: who waits for its other end waits for ever.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= MOST_BYTES ? readFileSync(fd, 'utf8') : null;
    } finally {
      closeSync(fd);
    }
  });
}

function statOf(file: string): { readonly uid: number; readonly gid: number; readonly mode: number } | null {
  return ifThere(() => statSync(file));
}

function listOf(folder: string): readonly string[] {
  return ifThere(() => readdirSync(folder)) ?? [];
}

function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return null;
  }
}
