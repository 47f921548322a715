import { fstatSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { openEpoll } from '../kernel/epoll.ts';
import type { Libc } from '../kernel/libc.ts';
import { openReceiveBytes } from '../kernel/receive-bytes.ts';
import { openSendMessage } from '../kernel/send-message.ts';
import type { Clock } from '../world/clock.ts';
import { orderOf, WORD_BYTES, type Order } from './bytes.ts';

/** Names the descriptor on which a vassal talks with its Emperor. Source: uWSGI core/emperor.c, uwsgi_check_emperor. */
export const SUPERIOR_VARIABLE = 'UWSGI_EMPEROR_FD';

/** In the environment of those that one of our kind has started: they carry a copy of its end, too. */
const OURS_VARIABLE = 'EMPEROR_INSTANCE';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the channel to an Emperor above this one is made of. */
export interface SuperiorOptions {
  readonly libc: Libc;
  readonly clock: Pick<Clock, 'after'>;
  readonly environment: Environment;
  /** Called in the order in which it was told; an order that came twice at once is one. */
  readonly onOrder: (order: Order) => void;
  /** The other end is closed: nobody is above us any more. */
  readonly onLost: () => void;
}

/** The vassal's side of the protocol of uWSGI's Emperor. Disposing leaves the descriptor open: that it closes is how an Emperor hears of an end. */
export interface Superior extends Disposable {
  /** Never waits: what an Emperor that does not listen has no room for is lost. */
  say(word: keyof typeof WORD_BYTES): void;
  /** Says so often from now on that we are well. @param everyMs above 0 */
  beat(everyMs: number): void;
}

/** Orders that are read at a time. */
const MOST_BYTES = 64;

/** Opens the channel to the Emperor that has started this process; null: there is none. */
export function openSuperior({ libc, clock, environment, onOrder, onLost }: SuperiorOptions): Superior | null {
  const found = descriptorIn(environment);
  if (found === null) return null;
  const fd: number = found;
  const receive = openReceiveBytes(libc);
  const send = openSendMessage(libc);
  const epoll = openEpoll(libc);
  const bytes = Buffer.alloc(MOST_BYTES);
  let cancelBeat = (): void => {};
  let open = true;

  epoll.watch(fd, () => {
    const length = receive(fd, bytes);
    if (length === null) return;
    if (length === 0) {
      close();
      onLost();
      return;
    }
    for (const order of new Set([...bytes.subarray(0, length)].map(orderOf))) if (order !== null) onOrder(order);
  });

  function close(): void {
    if (!open) return;
    open = false;
    cancelBeat();
    epoll[Symbol.dispose]();
  }

  function say(word: keyof typeof WORD_BYTES): void {
    if (open) send(fd, { data: Uint8Array.of(WORD_BYTES[word]), descriptors: [], to: null });
  }

  return {
    say,
    beat(everyMs) {
      cancelBeat();
      if (!open) return;
      const again = (): void => {
        say('heartbeat');
        cancelBeat = clock.after(everyMs, again);
      };
      again();
    },
    [Symbol.dispose]: close,
  };
}

/**
 * What has to stay open for the program that is executed next in this process: the channel, and where one of our kind is above us the copy of its
 * end, which comes after ours and which it takes back when it has to.
 */
export function superiorDescriptors(environment: Environment): readonly number[] {
  const fd = descriptorIn(environment);
  if (fd === null) return [];
  return environment[OURS_VARIABLE] !== undefined && isSocket(fd + 1) ? [fd, fd + 1] : [fd];
}

function descriptorIn(environment: Environment): number | null {
  const value = environment[SUPERIOR_VARIABLE];
  return value !== undefined && /^[1-9]\d{0,8}$/.test(value) && Number(value) > LAST_STANDARD && isSocket(Number(value)) ? Number(value) : null;
}

const LAST_STANDARD = 2;

/** A variable that was inherited by way of others names nothing. */
function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return false;
  }
}
