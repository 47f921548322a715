import { adoptSockets, type AdoptableFile, type Adopted } from './adopted-sockets.ts';
import { wakingOf } from './waking.ts';
import { isUnread, lineOf, tellConflict, type Asked } from './asked.ts';

/** A file that may have sockets of its own. */
export interface OwnFile extends Pick<AdoptableFile, 'file' | 'text' | 'host'> {
  /** Where it waits for its first connection, as one of uWSGI's three ways says; null: none does. */
  readonly address: string | null;
  /** It has a section of uWSGI. */
  readonly foreign: boolean;
  /** It is a program, and has printed the text. */
  readonly printed: boolean;
  readonly folder: string;
}

/** What a file with `adopt-sockets` asks of sockets: its own ones, by `listen`. */
export interface Adoption {
  readonly asked: Asked;
  /** What uWSGI is to read; null: the file. */
  readonly text: string | null;
}

/** Takes over the sockets of a file that says so, or opens the one at which it waits. */
export function adoptionOf(asked: Asked, { file, text, host, foreign, printed, folder, address }: OwnFile): Adoption {
  const { given, section, report } = asked;
  if (foreign && address !== null) {
    const waking = wakingOf(asked, address, { file, text, host, directory: given.directory ?? folder });
    if (waking.asked !== asked) return printed ? { asked: waking.asked, text: null } : waking;
  }
  if (given['adopt-sockets'] !== true) return { asked, text: null };
  const tell = (key: string, message: string, hint: string): undefined => tellConflict(asked, key, message, hint);
  if (!foreign) tell('adopt-sockets', '"adopt-sockets" is for a file with a uwsgi section', 'name the addresses in "listen"');
  else if (printed) tell('adopt-sockets', 'what a program prints is read by uWSGI itself: its sockets cannot be taken over', 'name the addresses in "listen"');
  else if (section.entries.has('listen')) tell('listen', '"listen" and "adopt-sockets" exclude each other', 'remove one of the two');
  else if (section.entries.has('pass')) tell('pass', '"pass" does not go with "adopt-sockets": uWSGI gets descriptors', 'remove it');
  else if (given.reload === 'signal' || lineOf(asked, 'reload-signal') !== null) tell(given.reload === 'signal' ? 'reload' : 'reload-signal', 'with "adopt-sockets" uWSGI would read its old text again at a signal', 'write reload = "overlap", or remove it');
  else if (!isUnread(asked, 'directory') && !isUnread(asked, 'umask')) {
    const adopted: Adopted | undefined = adoptSockets({ file, text, host, directory: given.directory ?? folder, umask: given.umask ?? null, line: lineOf(asked, 'adopt-sockets') }, report);
    if (adopted !== undefined) return { asked: { ...asked, given: { ...given, listen: adopted.listen } }, text: adopted.text };
  }
  return { asked, text: null };
}
