import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { DEFAULT_PATH } from './environment.ts';
import { outputOf, type OutputHost } from './output-of.ts';

/** One of the ways of uWSGI's Emperor to say where a vassal waits for its first connection. */
export type Demand =
  /** A file beside it, of this name behind its own, says so. */
  | { readonly kind: 'extension'; readonly end: string }
  /** Each has a unix socket of its name in this folder, absolute. */
  | { readonly kind: 'directory'; readonly folder: string }
  /** A command line for a shell prints it; the path of the file is put behind. */
  | { readonly kind: 'exec'; readonly command: string };

/** An address as it was said, null for none; or why what is said counts for nothing: a sentence. */
export type Demanded = { readonly ok: true; readonly address: string | null } | { readonly ok: false; readonly message: string };

/** What it takes to find out. */
export interface DemandHost extends OutputHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** As root: a file that others can write counts, too. */
  readonly allowWritable: boolean;
}

const MOST_BYTES = 4096;
/** inode(7) */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Where a vassal file waits, as far as its name and what is beside it tell: what is said ends at the first control character, and nothing said is no address.
 * Source: uWSGI core/emperor.c, emperor_check_on_demand_socket. Other than there the path of a file is an argument to the shell and no part of its line.
 * @param file absolute path of the vassal file
 */
export async function demandOf(file: string, demand: Demand, host: DemandHost, signal: AbortSignal): Promise<Demanded> {
  switch (demand.kind) {
    case 'directory':
      return { ok: true, address: join(demand.folder, `${basename(file).replace(/\.[^.]*$/, '')}.socket`) };
    case 'extension':
      return read(file, demand.end, host);
    case 'exec': {
      const environment = { PATH: host.environment['PATH'] ?? DEFAULT_PATH, HOME: host.environment['HOME'] ?? '/', EMPEROR_FILE: file };
      const printed = await outputOf('/bin/sh', ['-c', `${demand.command} "$1"`, 'sh', file], { fd: null, cwd: dirname(file), environment }, host, signal);
      return printed.ok ? { ok: true, address: said(printed.bytes.subarray(0, MOST_BYTES)) } : { ok: false, message: `"${demand.command}" cannot say where it is on demand: ${printed.message}` };
    }
    default:
      return demand satisfies never;
  }
}

/** It is as much a word of who may write the vassal file as that file is. */
function read(file: string, end: string, { allowWritable }: DemandHost): Demanded {
  const path = `${file}${end}`;
  const cannot = (why: string): Demanded => ({ ok: false, message: `${path} cannot say where it is on demand: ${why}` });
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return errnoOf(error) === 'ENOENT' ? { ok: true, address: null } : cannot(errnoOf(error));
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) return cannot('it is no regular file');
    const trusted = new Set([0, process.geteuid?.(), statSync(file).uid]);
    if (process.geteuid?.() === 0 && !allowWritable && (!trusted.has(found.uid) || (found.mode & WRITABLE_BY_OTHERS) !== 0)) return cannot('others can write it');
    const bytes = Buffer.alloc(MOST_BYTES);
    return { ok: true, address: said(bytes.subarray(0, readSync(fd, bytes))) };
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return cannot(errnoOf(error));
  } finally {
    closeSync(fd);
  }
}

function said(bytes: Buffer): string | null {
  const [address = ''] = bytes.toString('utf8').split(/\p{Cc}/u, 1);
  return address.trim() === '' ? null : address.trim();
}
