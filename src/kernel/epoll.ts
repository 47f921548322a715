import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/** Watches descriptors that Node cannot watch (pidfds, FIFOs), on the main thread and without polling. Keeps the process alive until disposed. */
export interface Epoll extends Disposable {
  /**
   * Calls back for as long as `fd` can be read from, or has hung up: once a turn of the event loop. It may be called once too
   * often, so a read has to stand EAGAIN. A descriptor is watched once; it is unwatched before it is closed.
   */
  watch(fd: number, onReadable: () => void): void;
  /** Like {@link Epoll.watch}, but calls back once and is silent then, also after a hang-up, until {@link Epoll.again}. */
  watchOnce(fd: number, onReadable: () => void): void;
  /**
   * Lets what is watched once call back again: when it can be read from, or only when `more` is written to it than is there now. That may be
   * called too often, as {@link Epoll.watch} may: who asks for it looks whether there is more. A stranger is no mistake.
   */
  again(fd: number, when: 'readable' | 'more'): void;
  /** Stops it; a stranger is no mistake. */
  unwatch(fd: number): void;
}

/** epoll_ctl(2) */
const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLONESHOT = 2 ** 30;
const EPOLLET = 2 ** 31;
const EPOLL_CLOEXEC = 0o2000000;
/** struct epoll_event is packed on x86_64 only. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_OFFSET = EVENT_BYTES - 8;
/** Callbacks in one turn: what is left comes with the next, after timers and requests had their turn. */
const EVENTS_A_TURN = 64;

interface Watched {
  /** Tells it from an earlier descriptor of the same number. */
  readonly generation: number;
  readonly onReadable: () => void;
}

/**
 * Opens an epoll(7) that is itself watched by Node's own event loop.
 *
 * No thread sleeps in epoll_wait(2): a thread of libuv's pool that sleeps there would be missing for files and name
 * lookups, and Node waits for it at its end, for ever. An epoll descriptor can be polled like any other, so libuv wakes
 * us, and epoll_wait is only called when there is something to fetch.
 * @throws E_KERNEL when out of descriptors
 */
export function openEpoll(libc: Libc): Epoll {
  const control = libc.bind<(epoll: number, operation: number, fd: number, event: Uint8Array | null) => number>(
    'int epoll_ctl(int epoll, int operation, int fd, void *event)',
  );
  const wait = libc.bind<(epoll: number, events: Uint8Array, most: number, timeoutMs: number) => number>(
    'int epoll_wait(int epoll, void *events, int most, int timeout)',
  );
  const epoll = libc.bind<(flags: number) => number>('int epoll_create1(int flags)')(EPOLL_CLOEXEC);
  if (epoll < 0) throw kernelError('epoll_create1', '', lastErrno());

  const watched = new Map<number, Watched>();
  const events = Buffer.alloc(EVENT_BYTES * EVENTS_A_TURN);
  const asked = Buffer.alloc(EVENT_BYTES);
  let generation = 0;
  let open = true;

  const ask = (operation: number, fd: number, mask: number, of: number): number => {
    asked.writeUInt32LE(mask, 0);
    asked.writeUInt32LE(fd, DATA_OFFSET);
    asked.writeUInt32LE(of, DATA_OFFSET + 4);
    return control(epoll, operation, fd, asked);
  };
  const add = (fd: number, mask: number, onReadable: () => void): void => {
    generation = (generation + 1) >>> 0;
    if (ask(CTL_ADD, fd, mask, generation) < 0) throw kernelError('epoll_ctl', `add ${fd}`, lastErrno());
    watched.set(fd, { generation, onReadable });
  };

  const fetch = (): void => {
    if (!open) return;
    const count = wait(epoll, events, EVENTS_A_TURN, 0);
    const ready: [fd: number, entry: Watched][] = [];
    for (let index = 0; index < count; index++) {
      const data = index * EVENT_BYTES + DATA_OFFSET;
      const fd = events.readUInt32LE(data);
      const entry = watched.get(fd);
      if (entry !== undefined && entry.generation === events.readUInt32LE(data + 4)) ready.push([fd, entry]);
    }
    // Who is unwatched by the callback of another must not be called any more.
    for (const [fd, entry] of ready) if (watched.get(fd) === entry) entry.onReadable();
  };

  // libuv calls this outside of Node's own bookkeeping: promises would not go on and a throw would abort. So it only makes an appointment.
  const handle = koffi.node.poll(epoll, { readable: true }, () => void setImmediate(fetch));
  // An event in the last moments of a process that did not dispose would abort it.
  const close = (): void => handle.close();
  process.once('exit', close);

  return {
    watch(fd, onReadable) {
      add(fd, EPOLLIN, onReadable);
    },
    watchOnce(fd, onReadable) {
      add(fd, EPOLLIN | EPOLLONESHOT, onReadable);
    },
    again(fd, when) {
      const entry = watched.get(fd);
      if (entry !== undefined) ask(CTL_MOD, fd, when === 'more' ? EPOLLIN + EPOLLET : EPOLLIN | EPOLLONESHOT, entry.generation);
    },
    unwatch(fd) {
      if (watched.delete(fd)) control(epoll, CTL_DEL, fd, null);
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      process.off('exit', close);
      handle.close();
      closeSync(epoll);
      watched.clear();
    },
  };
}
