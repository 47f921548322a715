import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Account } from './invariants.ts';

const LINE = /\bLINE (\S+#\d+) (\d+) /g;

/** What all instances said to have printed, to be read before the logs are. */
export function printedLines(counts: string): ReadonlyMap<string, number> {
  return new Map(readdirSync(counts).filter((name) => name.includes('#')).map((instance) => [instance, Number(readFileSync(join(counts, instance), 'latin1'))]));
}

/** Compares what was printed with what the logs hold. @param unheard instances that ended while there was no emperor */
export function account(logs: string, printed: ReadonlyMap<string, number>, unheard: ReadonlySet<string>): readonly Account[] {
  const found = new Map<string, Map<number, number>>();
  for (const text of texts(logs)) {
    for (const [, instance = '', number = ''] of text.matchAll(LINE)) {
      const lines = found.get(instance) ?? new Map<number, number>();
      found.set(instance, lines);
      lines.set(Number(number), (lines.get(Number(number)) ?? 0) + 1);
    }
  }
  return Array.from(printed, ([instance, count]) => ({
    instance, vassal: instance.slice(0, instance.lastIndexOf('#')), printed: count, found: found.get(instance) ?? new Map<number, number>(),
    unheard: unheard.has(instance),
  }));
}

/** All parts of all logs; one that is compressed and still there in plain is taken once. */
function texts(logs: string): readonly string[] {
  const names = readdirSync(logs);
  return names.flatMap((name) => {
    if (name.endsWith('.tmp') || (!name.endsWith('.gz') && names.includes(`${basename(name)}.gz`))) return [];
    const bytes = read(join(logs, name));
    return bytes === null ? [] : [(name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')];
  });
}

/** null: a rotation has moved it meanwhile, so what was read does not belong together: whoever finds something wrong has to look again. */
function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
