import { lchownSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ControlPorts } from '../control/command.ts';
import { printPacket } from '../control/packet.ts';
import { failure, obeyPacket } from '../control/uwsgi-commands.ts';
import { EmperorError, reasonOf } from '../errors.ts';
import { openReceiver, type Datagram, type Receiver } from '../kernel/datagram.ts';
import type { Libc } from '../kernel/libc.ts';
import { openPeerOf, peerNamer, printPeer } from '../kernel/peer.ts';
import { openSender } from '../kernel/send-datagram.ts';
import { openUserDatabase, type UserDatabase } from '../kernel/user.ts';
import { makeFolder } from '../world/make-folder.ts';
import { closeAll } from './ending.ts';
import type { Settings } from './settings.ts';

/** Where operators are listened to, and what it takes. */
export interface ControlsOptions {
  readonly libc: Libc;
  readonly settings: Pick<Settings, 'control' | 'controlGroup' | 'commandSocket'>;
  /** The control socket, where it listens already; null: it is opened. */
  readonly fd: number | null;
}

/** Opens them. */
export type OpenControls = (ports: Omit<ControlPorts, 'nameOfPeer'>) => Promise<AsyncDisposable>;

/** That of uWSGI. */
const MOST_BYTES = 4_096;
/** As the control socket: who may write to it may give orders. */
const MODE = 0o660;
/** Commands that are under way at one time; who sends more is told to come again. */
const MOST_UNDER_WAY = 64;
/** What is remembered of what was told. */
const MOST_TOLD = 1_000;

/** Looks whether the sockets for operators can be had as the settings want them: the control socket and, if there is to be one, the command socket. @throws E_SETTINGS */
export async function prepareControls({ libc, settings: { control, controlGroup, commandSocket }, fd }: ControlsOptions): Promise<OpenControls> {
  const { openControl } = await import('../control/server.ts');
  const users = openUserDatabase(libc);
  const gid = controlGroup === null ? null : users.group(controlGroup);
  if (controlGroup !== null && gid === null) throw new EmperorError('E_SETTINGS', `there is no group "${controlGroup}" for the control socket`);
  return async (given) => {
    const ports: ControlPorts = { ...given, nameOfPeer: peerNamer(openPeerOf(libc), users) };
    const parts: (Disposable | AsyncDisposable)[] = [await openControl({ path: control, gid, fd }, ports)];
    if (commandSocket !== null) {
      try {
        parts.push(openCommandSocket(libc, { path: commandSocket, gid, users }, ports));
      } catch (error) {
        await closeAll(parts);
        throw error;
      }
    }
    return { [Symbol.asyncDispose]: () => closeAll(parts) };
  };
}

/** The command socket of the Emperor of uWSGI 2.1, on which each command has its answer, if who sent it has bound its own socket. Disposed, it waits for no answers. */
export function openCommandSocket(libc: Libc, { path, gid, users }: { readonly path: string; readonly gid: number | null; readonly users: Pick<UserDatabase, 'user'> }, ports: ControlPorts): Disposable {
  const gone = new AbortController();
  const told = new Set<string>();
  let underWay = 0;

  /** The same of the same once, so that a flood costs no more than its answers. */
  function tell(actor: string, reason: string): void {
    if (told.has(`${actor} ${reason}`)) return;
    if (told.size >= MOST_TOLD) told.clear();
    told.add(`${actor} ${reason}`);
    ports.logger.warn({ actor, reason }, 'a command on the command socket was not done');
  }

  async function obey({ bytes, cut, sender, from }: Datagram): Promise<void> {
    const actor = sender === null ? 'unknown' : printPeer(sender, users);
    underWay += 1;
    try {
      const busy = underWay > MOST_UNDER_WAY;
      const answer = busy ? failure(null, 'too many commands are under way; ask again') : await obeyPacket(bytes, cut, ports, { actor, gone: gone.signal });
      if (answer.get('status') !== 'ok') tell(actor, answer.get('message') ?? '');
      // Who does not read has no room for it, and who has not bound a socket wants none.
      if (from !== null && !gone.signal.aborted) receiver.answer(from, printPacket(answer));
    } finally {
      underWay -= 1;
    }
  }

  claimPath(libc, path);
  const receiver = openAt(path, () => openReceiver({
    libc, path, mode: MODE, mostBytes: MOST_BYTES,
    onDatagram: (datagram) => void obey(datagram).catch((error: unknown) => ports.logger.error({ err: error }, 'a command met a bug')),
  }));
  if (gid !== null) lchownSync(path, -1, gid);
  return {
    [Symbol.dispose]() {
      gone.abort();
      receiver[Symbol.dispose]();
    },
  };
}

/** Nothing but a socket that nobody listens on is replaced. */
function claimPath(libc: Libc, path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new EmperorError('E_SETTINGS', `cannot use ${path} as command socket: there is something else; name another one with --command-socket`);
  // An empty datagram means nothing to whom it may concern.
  if (openSender(libc)(path, new Uint8Array()) !== 'ECONNREFUSED') throw new EmperorError('E_EMPEROR_RUNS', `somebody listens on the command socket ${path} already`);
}

function openAt(path: string, open: () => Receiver): Receiver {
  try {
    makeFolder(dirname(path), 0o755);
    return open();
  } catch (cause) {
    throw new EmperorError('E_SETTINGS', `cannot open the command socket ${path}: ${reasonOf(cause)}`, { cause });
  }
}
