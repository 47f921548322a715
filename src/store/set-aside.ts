import { existsSync, renameSync } from 'node:fs';

/** The files that make up a database in WAL mode, the database itself last: see {@link setAside}. */
const PARTS = ['-shm', '-wal', '-journal', ''] as const;

/**
 * Moves a damaged database out of the way, under a name that is not taken: `emperor.db.damaged-2026-11-21T08-50-00Z`. Its log
 * goes with it, so that a tool for repair finds the two side by side. The database itself goes last: should the emperor die
 * in between, the next one finds the damaged database again, and not a log without one.
 *
 * @param at wall time, ms
 * @returns the new path
 */
export function setAside(file: string, at: number): string {
  const time = new Date(at).toISOString().slice(0, 19).replaceAll(':', '-');
  const wanted = `${file}.damaged-${time}Z`;
  let target = wanted;
  for (let again = 2; PARTS.some((part) => existsSync(target + part)); again += 1) target = `${wanted}-${again}`;
  for (const part of PARTS) {
    if (existsSync(file + part)) renameSync(file + part, target + part);
  }
  return target;
}
