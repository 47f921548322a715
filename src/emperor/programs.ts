import { hash } from 'node:crypto';
import type { SeenFile } from '../core/listing.ts';

/** Asks a program that is a vassal file what it says. */
export type Ask = (file: SeenFile) => Promise<SeenFile['content']>;

/** The vassal files of one source that are programs: what they print takes the place of their text. */
export interface Programs {
  /**
   * The files with what the programs among them have printed. Of one that is still asked, what it said before; if nothing, it is missing.
   * @param onMore called once when all have answered that had not
   */
  read(files: readonly SeenFile[], onMore: () => void): { readonly files: readonly SeenFile[]; readonly missing: boolean };
}

/** Programs that are asked at one time; each has its time limit. */
const AT_ONCE = 8;

/** Each is asked once for each look at it that differs: after a touch, an edit. */
export function askPrograms(ask: Ask): Programs {
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
    const content = await ask(file);
    running -= 1;
    queue.shift()?.();
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
      if (waiting.length > 0) void Promise.all(waiting.map(once)).then(onMore);
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
