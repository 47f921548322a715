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
   * @param onMore called once when all is known that was not
   */
  read(files: readonly SeenFile[], onMore: () => void): { readonly files: readonly SeenFile[]; readonly missing: boolean };
}

/** Questions that are asked at one time; each has its time limit. */
const AT_ONCE = 8;

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
  const asked = new WeakMap<SeenFile, Promise<void>>();
  const queue: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
    running += 1;
  }

  async function question(file: SeenFile): Promise<void> {
    await turn();
    const answer = await ask(file);
    running -= 1;
    queue.shift()?.();
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
      const waiting = files.filter((file) => concerns(file) && file.content.ok && !answers.has(file));
      const present = new Set<string>(files.map(({ id }) => id));
      for (const id of before.keys()) if (!present.has(id)) before.delete(id);
      if (waiting.length > 0) void Promise.all(waiting.map(once)).then(onMore);
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
