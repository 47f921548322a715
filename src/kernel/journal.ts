import { closeSync } from 'node:fs';
import { EmperorError } from '../errors.ts';
import type { Libc } from './libc.ts';
import { sealedFile } from './memory-file.ts';
import { openSender } from './send-datagram.ts';

/** Fields of an entry, in order; a name has A to Z, digits and _, begins with a letter, and may come again: systemd.journal-fields(7). */
export type JournalFields = readonly (readonly [name: string, value: string | Uint8Array])[];

/**
 * Writes an entry to the journal of the host, at once or never: the native protocol of journald, as its page "Native Journal Protocol" has it.
 * @returns the name of the error, e.g. `EAGAIN`: it is busy; `ENOENT`: there is none; null: it is written
 */
export type WriteJournal = (fields: JournalFields) => string | null;

/** sd_journal_print(3) writes to this. */
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Binds it. @param socket default: that of this host */
export function openJournal(libc: Libc, socket: string = JOURNAL_SOCKET): WriteJournal {
  const send = openSender(libc);
  return (fields) => {
    const entry = journalEntry(fields);
    const errno = send(socket, entry);
    // What is too long for a datagram goes along as a file that nobody can change any more.
    if (errno !== 'EMSGSIZE') return errno;
    let fd: number;
    try {
      fd = sealedFile(libc, entry);
    } catch (error) {
      if (error instanceof EmperorError) return String(error.cause);
      throw error;
    }
    try {
      return send(socket, EMPTY, fd);
    } finally {
      closeSync(fd);
    }
  };
}

/** `NAME=value`, or, where there is a line feed in it, the name, the length as 64 bits, and the value. */
export function journalEntry(fields: JournalFields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    if (!bytes.includes(NEWLINE)) return [Buffer.from(`${name}=`), bytes, Buffer.from('\n')];
    const head = Buffer.alloc(name.length + 9);
    head.write(`${name}\n`);
    head.writeBigUInt64LE(BigInt(bytes.length), name.length + 1);
    return [head, bytes, Buffer.from('\n')];
  }));
}
