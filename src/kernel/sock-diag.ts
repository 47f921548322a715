import { closeSync } from 'node:fs';
import { errnoName, kernelError, lastErrno, type Libc } from './libc.ts';
import { AF_INET, AF_INET6, AF_UNIX } from './sockaddr.ts';

/** States of a connection, as tcp_states.h numbers them; unix sockets know `established` and `listen` only. */
export const STATES = {
  established: 1, 'syn-sent': 2, 'syn-recv': 3, 'fin-wait-1': 4, 'fin-wait-2': 5, 'time-wait': 6, close: 7, 'close-wait': 8, 'last-ack': 9, listen: 10, closing: 11,
} as const;

export type SocketState = keyof typeof STATES;

/** A TCP socket of this network namespace, whoever has it. */
export interface TcpSocket {
  readonly state: SocketState;
  /** 4 or 16 bytes. */
  readonly local: Buffer;
  readonly localPort: number;
  readonly remote: Buffer;
  readonly remotePort: number;
  /** Until its timer ends, ms; of a socket in `time-wait`: until it is forgotten. */
  readonly expiresMs: number;
  /** As in the link of /proc/PID/fd; 0: no process has it. */
  readonly inode: number;
}

export interface UnixSocket {
  readonly state: SocketState;
  /** What it, or the socket that it was accepted from, was bound to; null: nothing, or an abstract name. */
  readonly path: string | null;
  /** The lower 32 bits of the inode of the file that it is bound to, whatever that is called by now; null: none. */
  readonly file: number | null;
  readonly inode: number;
}

/** Asks the kernel about sockets: sock_diag(7). It filters, so that only what was asked for is copied to us. */
export interface SockDiag {
  /** TCP sockets that are in one of these states, and whose own or other port is that one. @throws E_KERNEL where the kernel cannot tell */
  tcp(family: 'v4' | 'v6', states: readonly SocketState[], port: { readonly local: number } | { readonly remote: number }): readonly TcpSocket[];
  /** Stream sockets with a path. @throws E_KERNEL where the kernel cannot tell */
  unix(states: readonly SocketState[]): readonly UnixSocket[];
  /** Connections that a listening unix socket has not accepted yet. @param inode of the descriptor, fstat(2). @throws E_KERNEL */
  unixWaiting(inode: number): number;
}

/** netlink(7), sock_diag(7) */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const IPPROTO_TCP = 6;
const UDIAG_SHOW_NAME = 1;
const UDIAG_SHOW_RQLEN = 0x10;
const UDIAG_SHOW_VFS = 2;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_VFS = 1;
const UNIX_DIAG_RQLEN = 4;
const HEADER_BYTES = 16;
/** struct inet_diag_req_v2: where its fields are, behind the header. */
const TCP_REQUEST_BYTES = HEADER_BYTES + 56;
const TCP_REQUEST_STATES = HEADER_BYTES + 4;
const TCP_REQUEST_LOCAL_PORT = HEADER_BYTES + 8;
const TCP_REQUEST_REMOTE_PORT = HEADER_BYTES + 10;
/** struct inet_diag_msg */
const TCP_LOCAL_PORT = 4;
const TCP_REMOTE_PORT = 6;
const TCP_LOCAL = 8;
const TCP_REMOTE = 24;
const TCP_EXPIRES = 52;
const TCP_INODE = 68;
/** struct unix_diag_req and unix_diag_msg */
const UNIX_REQUEST_BYTES = HEADER_BYTES + 24;
const UNIX_MESSAGE_BYTES = 16;
const BUFFER_BYTES = 64 * 1024;

const NAMES: ReadonlyMap<number, SocketState> = new Map(Object.entries(STATES).map(([name, number]): [number, SocketState] => [number, name as SocketState]));

/** Binds the calls. */
export function openSockDiag(libc: Libc): SockDiag {
  const socket = libc.bind<(family: number, type: number, protocol: number) => number>('int socket(int family, int type, int protocol)');
  const send = libc.bind<(fd: number, data: Uint8Array, length: number, flags: number) => number>('long send(int fd, const void *data, size_t length, int flags)');
  const receive = libc.bind<(fd: number, into: Uint8Array, length: number, flags: number) => number>('long recv(int fd, void *into, size_t length, int flags)');

  /** What is answered to one question: the payload of every message. */
  function ask(request: Buffer, whole: boolean): readonly Buffer[] {
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
    request.writeUInt16LE(whole ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST, 6);
    const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) throw kernelError('socket', 'netlink', lastErrno());
    try {
      if (send(fd, request, request.length, 0) < 0) throw kernelError('send', 'sock_diag', lastErrno());
      return collect(fd, whole);
    } finally {
      closeSync(fd);
    }
  }

  function collect(fd: number, whole: boolean): readonly Buffer[] {
    const answers: Buffer[] = [];
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    for (;;) {
      const length = receive(fd, buffer, BUFFER_BYTES, 0);
      if (length < 0) throw kernelError('recv', 'sock_diag', lastErrno());
      for (let at = 0; at + HEADER_BYTES <= length; ) {
        const size = buffer.readUInt32LE(at);
        const type = buffer.readUInt16LE(at + 4);
        if (type === NLMSG_DONE) return answers;
        if (type === NLMSG_ERROR) throw kernelError('sock_diag', '', errnoName(-buffer.readInt32LE(at + HEADER_BYTES)));
        answers.push(Buffer.from(buffer.subarray(at + HEADER_BYTES, at + size)));
        at += aligned(size);
      }
      if (!whole) return answers;
    }
  }

  return {
    tcp(family, states, port) {
      const request = Buffer.alloc(TCP_REQUEST_BYTES);
      request.writeUInt8(family === 'v6' ? AF_INET6 : AF_INET, HEADER_BYTES);
      request.writeUInt8(IPPROTO_TCP, HEADER_BYTES + 1);
      request.writeUInt32LE(maskOf(states), TCP_REQUEST_STATES);
      if ('local' in port) request.writeUInt16BE(port.local, TCP_REQUEST_LOCAL_PORT);
      else request.writeUInt16BE(port.remote, TCP_REQUEST_REMOTE_PORT);
      return ask(request, true).map((answer) => readTcp(answer, family === 'v6' ? 16 : 4));
    },
    unix(states) {
      return ask(unixRequest(states, 0, UDIAG_SHOW_NAME | UDIAG_SHOW_VFS), true).map((answer) => {
        const name = attributeOf(answer, UNIX_DIAG_NAME);
        const path = name === null || name.length === 0 || name[0] === 0 ? null : name.toString().replace(/\0$/, '');
        return { state: stateOf(answer), inode: answer.readUInt32LE(4), path, file: attributeOf(answer, UNIX_DIAG_VFS)?.readUInt32LE(0) ?? null };
      });
    },
    unixWaiting(inode) {
      const [answer] = ask(unixRequest(['listen'], inode, UDIAG_SHOW_RQLEN), false);
      return answer === undefined ? 0 : (attributeOf(answer, UNIX_DIAG_RQLEN)?.readUInt32LE(0) ?? 0);
    },
  };
}

/** @param inode of the only one that is asked for; 0: all */
function unixRequest(states: readonly SocketState[], inode: number, show: number): Buffer {
  const request = Buffer.alloc(UNIX_REQUEST_BYTES);
  request.writeUInt8(AF_UNIX, HEADER_BYTES);
  request.writeUInt32LE(maskOf(states), HEADER_BYTES + 4);
  request.writeUInt32LE(inode, HEADER_BYTES + 8);
  request.writeUInt32LE(show, HEADER_BYTES + 12);
  // INET_DIAG_NOCOOKIE: whichever has that inode.
  request.fill(0xff, HEADER_BYTES + 16);
  return request;
}

function readTcp(message: Buffer, addressBytes: number): TcpSocket {
  return {
    state: stateOf(message),
    local: message.subarray(TCP_LOCAL, TCP_LOCAL + addressBytes),
    localPort: message.readUInt16BE(TCP_LOCAL_PORT),
    remote: message.subarray(TCP_REMOTE, TCP_REMOTE + addressBytes),
    remotePort: message.readUInt16BE(TCP_REMOTE_PORT),
    expiresMs: message.readUInt32LE(TCP_EXPIRES),
    inode: message.readUInt32LE(TCP_INODE),
  };
}

/** rtnetlink(7): attributes follow the message, each with its length and type. */
function attributeOf(message: Buffer, wanted: number): Buffer | null {
  for (let at = UNIX_MESSAGE_BYTES; at + 4 <= message.length; ) {
    const size = message.readUInt16LE(at);
    if (message.readUInt16LE(at + 2) === wanted) return message.subarray(at + 4, at + size);
    at += aligned(Math.max(size, 4));
  }
  return null;
}

/** In both kinds of message the state is the second byte of a TCP one, the third of a unix one. */
function stateOf(message: Buffer): SocketState {
  return NAMES.get(message.readUInt8(message.readUInt8(0) === AF_UNIX ? 2 : 1)) ?? 'close';
}

function maskOf(states: readonly SocketState[]): number {
  return states.reduce((mask, state) => mask | (1 << STATES[state]), 0);
}

function aligned(size: number): number {
  return Math.ceil(size / 4) * 4;
}
