import { hash } from 'node:crypto';
import type { SeenFile } from '../core/listing.ts';

/** Asks a program that is a vassal file what it says. */
export type Ask = (file: SeenFile) => Promise<SeenFile['content']>;

/** Finds out where a file waits for its first connection; null: nowhere. */
export type AskAddress = (file: SeenFile) => Promise<{ readonly ok: true; readonly address: string | null } | (SeenFile['content'] & { readonly ok: false })>;

/** The vassal files of one source about which somebody has to be asked: what that says takes its place in them. */
export interface Questions {
  /**
   * The files with what was said of them. Of one that is still asked about, what was said before; if nothing, it is missing.
   * @param onMore called for each that is answered later; of several callbacks for one file the last one counts
   */
  read(files: readonly SeenFile[], onMore: () => void): { readonly files: readonly SeenFile[]; readonly missing: boolean };
}

/** Questions that are asked at one time; each has its time limit. */
const AT_ONCE = 8;
/** Of one owner, where files have owners: who has many that hang holds up nobody else. */
const OF_ONE_OWNER = 2;

/** Files that are programs: what they print takes the place of their text. */
export function askPrograms(ask: Ask): Questions {
  return askOnce(async (file) => {
    const content = await ask(file);
    return { ...file, content, hash: content.ok ? hash('sha256', content.text, 'hex') : '' };
  }, ({ executable }) => executable === true);
}

/** Files with where they wait for their first connection. Another address is another revision. */
export function askAddresses(ask: AskAddress): Questions {
  return askOnce(async (file) => {
    const answer = await ask(file);
    if (!answer.ok) return { ...file, content: answer, hash: '' };
    const { address } = answer;
    return address === null ? file : { ...file, address, hash: hash('sha256', `${file.hash} ${address}`, 'hex') };
  }, () => true);
}

/** Each question is asked once for each look at a file that differs: after a touch, an edit. */
function askOnce(ask: (file: SeenFile) => Promise<SeenFile>, concerns: (file: SeenFile) => boolean): Questions {
  const answers = new WeakMap<SeenFile, SeenFile>();
  const before = new Map<string, SeenFile>();
  /** Who is told when a file that is asked about is answered. */
  const listeners = new Map<SeenFile, () => void>();
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
    const answer = await ask(file);
    over(owner);
    answers.set(file, answer);
    before.set(file.id, answer);
    const tell = listeners.get(file);
    listeners.delete(file);
    tell?.();
  }

  return {
    read(files, onMore) {
      const waiting = files.filter((file) => concerns(file) && file.content.ok && !answers.has(file));
      const present = new Set<string>(files.map(({ id }) => id));
      for (const id of before.keys()) if (!present.has(id)) before.delete(id);
      for (const file of waiting) {
        const isAsked = listeners.has(file);
        listeners.set(file, onMore);
        if (!isAsked) void question(file);
      }
      const read = files.flatMap((file) => {
        if (!concerns(file) || !file.content.ok) {
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
