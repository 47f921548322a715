import { hash } from 'node:crypto';
import type { SeenFile } from '../core/listing.ts';

/** Asks a program that is a vassal file what it says. */
export type Ask = (file: SeenFile) => Promise<SeenFile['content']>;

/** The vassal files of one source that are programs: what they print takes the place of their text. */
export interface Programs {
  /**
   * The files with what the programs among them have printed. Of one that is still asked, what it said before; if nothing, it is missing.
   * @param onMore called for each that answers later; a second time with the same files it is not taken
   */
  read(files: readonly SeenFile[], onMore: () => void): { readonly files: readonly SeenFile[]; readonly missing: boolean };
}

/** Programs that are asked at one time; each has its time limit. */
const AT_ONCE = 8;
/** Of one owner, where files have owners: who has many that hang holds up nobody else. */
const OF_ONE_OWNER = 2;

/** Each is asked once for each look at it that differs: after a touch, an edit. */
export function askPrograms(ask: Ask): Programs {
  const answers = new WeakMap<SeenFile, SeenFile>();
  const before = new Map<string, SeenFile>();
  const asked = new WeakMap<SeenFile, Promise<void>>();
  const awaited = new WeakSet<readonly SeenFile[]>();
  const queue: { readonly owner: number | null; readonly begin: () => void }[] = [];
  const running: (number | null)[] = [];

  function mayBegin(owner: number | null): boolean {
    return running.length < AT_ONCE && (owner === null || running.filter((each) => each === owner).length < OF_ONE_OWNER);
  }

  async function turn(owner: number | null): Promise<void> {
    if (!mayBegin(owner)) await new Promise<void>((resolve) => queue.push({ owner, begin: resolve }));
    else running.push(owner);
  }

  function over(owner: number | null): void {
    running.splice(running.indexOf(owner), 1);
    const at = queue.findIndex((each) => mayBegin(each.owner));
    for (const next of at < 0 ? [] : queue.splice(at, 1)) {
      running.push(next.owner);
      next.begin();
    }
  }

  async function question(file: SeenFile): Promise<void> {
    const owner = file.owner?.uid ?? null;
    await turn(owner);
    const content = await ask(file);
    over(owner);
    const answer: SeenFile = { ...file, content, hash: content.ok ? hash('sha256', content.text, 'hex') : '' };
    answers.set(file, answer);
    before.set(file.id, answer);
  }

  function once(file: SeenFile): Promise<void> {
    const known = asked.get(file) ?? question(file);
    asked.set(file, known);
    return known;
  }

  return {
    read(files, onMore) {
      const waiting = files.filter((file) => file.executable === true && file.content.ok && !answers.has(file));
      const present = new Set<string>(files.map(({ id }) => id));
      for (const id of before.keys()) if (!present.has(id)) before.delete(id);
      if (!awaited.has(files)) for (const file of waiting) void once(file).then(onMore);
      awaited.add(files);
      const read = files.flatMap((file) => {
        if (file.executable !== true || !file.content.ok) {
          before.set(file.id, file);
          return [file];
        }
        const known = answers.get(file) ?? before.get(file.id);
        return known === undefined ? [] : [known];
      });
      return { files: read, missing: read.length < files.length };
    },
  };
}
