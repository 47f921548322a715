import { fstatSync } from 'node:fs';

/** Whether what is printed to a descriptor goes to the journal: JOURNAL_STREAM of systemd.exec(5) names its device and inode. */
export function printsToJournal(environment: Readonly<Record<string, string | undefined>>, fd: number): boolean {
  const { JOURNAL_STREAM: stream } = environment;
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    // It is closed.
    return false;
  }
}
