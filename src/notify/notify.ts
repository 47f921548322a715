import type { InstanceEvent } from '../core/event.ts';
import type { InstanceId } from '../core/state.ts';
import { openReceiver, type Datagram, type Receiver } from '../kernel/datagram.ts';
import type { Libc } from '../kernel/libc.ts';
import { MOST_BYTES, parseSaid } from './said.ts';

/** What the socket of all instances is made of. */
export interface NotifyOptions {
  readonly libc: Libc;
  /** Of the socket, as NOTIFY_SOCKET tells it to instances; at most 106 bytes. They must be able to reach it: each folder on the way needs its x bit for them. */
  readonly path: string;
  /** Told as it comes in, one event for each datagram, in the order of sending. */
  readonly sink: (event: InstanceEvent & { readonly type: 'said' }) => void;
  /** See kinship.ts. */
  readonly ownerOf: (pid: number) => InstanceId | null;
  readonly onIgnored: (ignored: Ignored) => void;
  /** See {@link Receiver.handOver}; null: it is opened. */
  readonly inherited?: number | null;
}

/** Somebody is not listened to. */
export interface Ignored {
  readonly pid: number;
  readonly uid: number;
  /** `stranger`: no process of an instance, or one that had ended before it could be asked. `malformed`: what it sent is too long or holds NULs. */
  readonly why: 'stranger' | 'malformed';
  /** Datagrams ignored since the socket was opened. */
  readonly total: number;
}

/** Anybody may write: who may speak for an instance is decided by who it is. */
const MODE = 0o666;
/** Who was told of once is not told of again; after so many all are forgotten, so that the memory does not grow. */
const MOST_KNOWN = 1_000;

/**
 * Hears what instances say of themselves, sd_notify(3). Only what comes from a process of an instance counts, by the credentials that the
 * kernel attaches. BARRIER=1 is answered, as closing its descriptor is the answer, after all that was sent before it.
 * @throws E_KERNEL when the socket cannot be bound
 */
export function openNotify(options: NotifyOptions): Receiver {
  const told = new Set<string>();
  let total = 0;

  function ignore(sender: NonNullable<Datagram['sender']>, why: Ignored['why']): void {
    total += 1;
    const { pid, uid } = sender;
    if (told.has(`${pid} ${why}`)) return;
    if (told.size >= MOST_KNOWN) told.clear();
    told.add(`${pid} ${why}`);
    options.onIgnored({ pid, uid, why, total });
  }

  function hear({ bytes, cut, sender }: Datagram): void {
    // The kernel leaves them out only where it has no room for them, and there is.
    if (sender === null) return;
    const instance = options.ownerOf(sender.pid);
    if (instance === null) {
      ignore(sender, 'stranger');
      return;
    }
    const said = cut ? 'malformed' : parseSaid(bytes);
    if (said === 'malformed') ignore(sender, 'malformed');
    else if (said !== null) options.sink({ type: 'said', instance, said });
  }

  return openReceiver({ libc: options.libc, path: options.path, mode: MODE, mostBytes: MOST_BYTES, onDatagram: hear, inherited: options.inherited ?? null });
}
