import { lchownSync, lstatSync, unlinkSync, type Stats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { EmperorError, reasonOf } from '../errors.ts';
import { makeFolder } from '../world/make-folder.ts';
import { controlClient } from './client.ts';

/** Bytes of a path that the kernel takes, unix(7): sun_path less its end. */
const LONGEST_PATH = 107;

/** How long another emperor may take to say who it is. */
const ANSWER_MS = 2_000;

/** Where the control socket is, and who may use it. */
export interface ControlSocket {
  /** Absolute. Its folder is made if need be. */
  readonly path: string;
  /** Group that may use it beside the owner; null: the emperor's own. */
  readonly gid: number | null;
  /** A socket that listens already: then whoever opened it has said where, and who may use it. null: it is opened. */
  readonly fd: number | null;
}

/**
 * Makes way for our own socket: removes one that nobody answers on.
 * @throws E_EMPEROR_RUNS if somebody does, E_SETTINGS if the path cannot be one of a socket
 */
export async function claim(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new EmperorError('E_SETTINGS', `cannot use ${path} as control socket: the kernel takes ${LONGEST_PATH} bytes at most; name a shorter one with --control`);
  }
  const found = look(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new EmperorError('E_SETTINGS', `cannot use ${path} as control socket: there is something else; name another one with --control`);
  if (await isHeld(path)) throw new EmperorError('E_EMPEROR_RUNS', `another emperor is at work on ${path}: ${await whoAnswers(path)}`);
  unlinkSync(path);
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
}

/** Somebody listens. Only a refused connection proves that nobody does; a full queue, for one, proves the opposite. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
  });
}

/**
 * Starts listening, mode 0660. The mode is there from the first moment: a chmod after the bind would come too late for
 * whoever connects in between.
 * @throws E_SETTINGS if the folder or the socket cannot be made
 */
export async function listenPrivately(server: Server, { path, gid, fd }: ControlSocket): Promise<void> {
  try {
    if (fd !== null) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).once('listening', resolve);
        server.listen({ fd });
      });
      return;
    }
    makeFolder(dirname(path), 0o755);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).once('listening', resolve);
      const before = process.umask(0o117);
      // bind(2) happens within this call.
      server.listen({ path, backlog: 511 });
      process.umask(before);
    });
    // Not what is at the end of a symlink, should one have taken its place.
    if (gid !== null) lchownSync(path, -1, gid);
  } catch (cause) {
    server.close();
    throw cannotOpen(path, cause);
  }
}

function cannotOpen(path: string, cause: unknown): EmperorError {
  return new EmperorError('E_SETTINGS', `cannot open the control socket ${path}: ${reasonOf(cause)}`, { cause });
}

async function whoAnswers(path: string): Promise<string> {
  try {
    const { pid, version, startedAt } = await controlClient(path, null, ANSWER_MS).emperor();
    return `pid ${pid}, version ${version}, since ${startedAt}`;
  } catch (thrown) {
    return `it does not say who it is (${reasonOf(thrown)})`;
  }
}
