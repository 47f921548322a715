import { closeSync } from 'node:fs';
import { bindSocketCall, socketAddress } from './datagram.ts';
import { lastErrno, type Libc } from './libc.ts';
import { openSendMessage } from './send-message.ts';

/**
 * Sends one datagram to a path, or to an abstract name that begins with `@`. Never waits.
 * @param descriptor goes along: who receives it gets a copy
 * @returns the name of the error, e.g. `EAGAIN`: there is no room now; null: it was sent
 */
export type Send = (to: string, data: Uint8Array, descriptor?: number) => string | null;

/** unix(7), socket(7): the same numbers on all architectures that Node runs on with Linux. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;

/** Binds socket(2) and sendmsg(2). */
export function openSender(libc: Libc): Send {
  const socket = bindSocketCall(libc);
  const send = openSendMessage(libc);
  return (name, data, descriptor) => {
    const to = socketAddress(name);
    if (to === null) return 'ENAMETOOLONG';
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return lastErrno();
    const errno = send(fd, { data, descriptors: descriptor === undefined ? [] : [descriptor], to });
    closeSync(fd);
    return errno;
  };
}
