import koffi from 'koffi';
import { openRaise } from './high-descriptor.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';
import { AF_INET, AF_INET6, AF_UNIX } from './sockaddr.ts';

/** One instruction of classic BPF, struct sock_filter: Documentation/networking/filter.rst of Linux. */
export type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

/** Options that are on or off. */
export type Switch = 'reuse-address' | 'reuse-port' | 'v6only';

/**
 * Stream sockets that listen and are never accepted from. Node's own servers accept as soon as they listen, and so would take
 * connections away from the instances. Addresses are what sockaddr.ts makes of them.
 */
export interface StreamSockets {
  /**
   * A new socket: close-on-exec, and with a number far above those that children are given. It blocks, as those of systemd do unless
   * told otherwise: NonBlocking= of systemd.service(5); servers set it as they need it.
   * @throws E_KERNEL when out of descriptors, or (`cause` EAFNOSUPPORT) on a host without IPv6
   */
  open(family: 'v4' | 'v6' | 'unix'): number;
  /** setsockopt(2). @throws E_KERNEL */
  set(fd: number, option: Switch, on: boolean): void;
  /** getsockopt(2). @throws E_KERNEL */
  isOn(fd: number, option: Switch): boolean;
  /** bind(2). @returns null, or the name of the error */
  bind(fd: number, address: Uint8Array): string | null;
  /** listen(2); on one that listens already it only changes the backlog. @returns null, or the name of the error */
  listen(fd: number, backlog: number): string | null;
  /** connect(2), without waiting. @returns null, or the name of the error, e.g. `ECONNREFUSED`: nobody listens there */
  connect(fd: number, address: Uint8Array): string | null;
  /** The port that the kernel chose: getsockname(2). @throws E_KERNEL */
  port(fd: number): number;
  /** Whether it listens: SO_ACCEPTCONN of socket(7). Whoever shares it may have ended that with shutdown(2). */
  listens(fd: number): boolean;
  /**
   * Ends listening, whoever shares the socket: shutdown(2). What waits to be accepted is reset, or goes to the others of its group
   * where net.ipv4.tcp_migrate_req is 1. The socket is not closed.
   */
  stop(fd: number): void;
  /** Connections that a listening TCP socket has not accepted yet: tcpi_unacked of TCP_INFO, which for these has that meaning. */
  waiting(fd: number): number;
  /** Makes it a blocking one again, for all who share it. */
  block(fd: number): void;
  /**
   * Says which socket of a SO_REUSEPORT group gets a connection: SO_ATTACH_REUSEPORT_CBPF of socket(7). The program returns an index, in the
   * order in which the sockets began to listen; any other number means a choice by hash. It takes the place of the one before in one step.
   * @throws E_KERNEL
   */
  attach(fd: number, program: readonly Instruction[]): void;
}

/** The same numbers on all architectures that Node runs on with Linux: socket(7), tcp(7), ipv6(7), fcntl(2). */
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_ACCEPTCONN = 30;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const IPV6_V6ONLY = 26;
const TCP_INFO = 11;
const SHUT_RDWR = 2;
const F_SETFL = 4;

const FAMILIES = { v4: AF_INET, v6: AF_INET6, unix: AF_UNIX } as const;
const SWITCHES: Readonly<Record<Switch, readonly [level: number, name: number]>> = {
  'reuse-address': [SOL_SOCKET, SO_REUSEADDR],
  'reuse-port': [SOL_SOCKET, SO_REUSEPORT],
  v6only: [IPPROTO_IPV6, IPV6_V6ONLY],
};

/** struct tcp_info of linux/tcp.h: where tcpi_unacked is. */
const TCPI_UNACKED = 24;
const TCP_INFO_BYTES = 104;
/** struct sockaddr_storage; the port is at the same place in both IP families. */
const ANY_ADDRESS_BYTES = 128;
const PORT = 2;
const INSTRUCTION_BYTES = 8;
/** struct sock_fprog, 64 bit: the number of instructions, and where they are. */
const PROGRAM_BYTES = 16;
const PROGRAM_POINTER = 8;

/** Binds the calls. */
export function openStreamSockets(libc: Libc): StreamSockets {
  type Addressed = (fd: number, address: Uint8Array, length: number) => number;
  type Option<Length> = (fd: number, level: number, name: number, value: Uint8Array, length: Length) => number;
  const socket = libc.bind<(family: number, type: number, protocol: number) => number>('int socket(int family, int type, int protocol)');
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  const setOption = libc.bind<Option<number>>('int setsockopt(int fd, int level, int name, const void *value, uint length)');
  const getOption = libc.bind<Option<Uint8Array>>('int getsockopt(int fd, int level, int name, void *value, void *length)');
  const getName = libc.bind<(fd: number, address: Uint8Array, length: Uint8Array) => number>('int getsockname(int fd, void *address, void *length)');
  const bind = libc.bind<Addressed>('int bind(int fd, const void *address, uint length)');
  const connect = libc.bind<Addressed>('int connect(int fd, const void *address, uint length)');
  const listen = libc.bind<(fd: number, backlog: number) => number>('int listen(int fd, int backlog)');
  const shutdown = libc.bind<(fd: number, how: number) => number>('int shutdown(int fd, int how)');

  const raise = openRaise(libc);

  const outcome = (result: number): string | null => (result < 0 ? lastErrno() : null);
  const read = (fd: number, level: number, name: number, bytes: number): Buffer => {
    const value = Buffer.alloc(bytes);
    if (getOption(fd, level, name, value, int(bytes)) < 0) throw kernelError('getsockopt', String(fd), lastErrno());
    return value;
  };

  return {
    open(family) {
      const low = socket(FAMILIES[family], SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (low < 0) throw kernelError('socket', family, lastErrno());
      return raise(low);
    },
    set(fd, option, on) {
      const [level, name] = SWITCHES[option];
      if (setOption(fd, level, name, int(on ? 1 : 0), 4) < 0) throw kernelError('setsockopt', option, lastErrno());
    },
    isOn: (fd, option) => read(fd, ...SWITCHES[option], 4).readInt32LE() !== 0,
    bind: (fd, address) => outcome(bind(fd, address, address.length)),
    listen: (fd, backlog) => outcome(listen(fd, backlog)),
    connect(fd, address) {
      fcntl(fd, F_SETFL, SOCK_NONBLOCK);
      return outcome(connect(fd, address, address.length));
    },
    port(fd) {
      const address = Buffer.alloc(ANY_ADDRESS_BYTES);
      if (getName(fd, address, int(ANY_ADDRESS_BYTES)) < 0) throw kernelError('getsockname', String(fd), lastErrno());
      return address.readUInt16BE(PORT);
    },
    listens: (fd) => read(fd, SOL_SOCKET, SO_ACCEPTCONN, 4).readInt32LE() !== 0,
    stop: (fd) => void shutdown(fd, SHUT_RDWR),
    waiting: (fd) => read(fd, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES).readUInt32LE(TCPI_UNACKED),
    block: (fd) => void fcntl(fd, F_SETFL, 0),
    attach(fd, program) {
      // It owns its memory, which stays where it is: the kernel is given its address.
      const instructions = Buffer.allocUnsafeSlow(program.length * INSTRUCTION_BYTES);
      program.forEach(([code, jumpTrue, jumpFalse, k], index) => {
        const at = index * INSTRUCTION_BYTES;
        instructions.writeUInt16LE(code, at);
        instructions.writeUInt8(jumpTrue, at + 2);
        instructions.writeUInt8(jumpFalse, at + 3);
        instructions.writeUInt32LE(k >>> 0, at + 4);
      });
      const header = Buffer.alloc(PROGRAM_BYTES);
      header.writeUInt16LE(program.length, 0);
      header.writeBigUInt64LE(koffi.address(instructions), PROGRAM_POINTER);
      if (setOption(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, header, PROGRAM_BYTES) < 0) throw kernelError('setsockopt', 'SO_ATTACH_REUSEPORT_CBPF', lastErrno());
    },
  };
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
