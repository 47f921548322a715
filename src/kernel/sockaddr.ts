import type { Libc } from './libc.ts';

/** Families of addresses, address_families(7). */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** sun_path of unix(7), without the NUL at its end. */
export const LONGEST_UNIX_PATH = 107;

/** Writes socket addresses as the kernel reads them. */
export interface SocketAddresses {
  /** struct sockaddr_in of ip(7), or sockaddr_in6 of ipv6(7), for an address in its usual text form. @param port 0: the kernel chooses */
  ip(host: string, port: number): Buffer;
  /** The 4 or 16 bytes of an IP address: inet_pton(3). */
  bytes(host: string): Buffer;
}

/** Where the address is in a sockaddr_in and a sockaddr_in6. */
const IN_ADDRESS = 4;
const IN6_ADDRESS = 8;
const IN_BYTES = 16;
const IN6_BYTES = 28;

/** Binds inet_pton(3). Its functions throw a plain error for what is no IP address: those are checked where they are read. */
export function openSocketAddresses(libc: Libc): SocketAddresses {
  const parse = libc.bind<(family: number, text: string, into: Uint8Array) => number>('int inet_pton(int family, const char *text, void *into)');
  const bytes = (host: string): Buffer => {
    const address = Buffer.alloc(host.includes(':') ? 16 : 4);
    if (parse(address.length === 16 ? AF_INET6 : AF_INET, host, address) !== 1) throw new Error(`no IP address: ${host}`);
    return address;
  };
  return {
    bytes,
    ip(host, port) {
      const address = bytes(host);
      const v6 = address.length === 16;
      const structure = Buffer.alloc(v6 ? IN6_BYTES : IN_BYTES);
      structure.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
      structure.writeUInt16BE(port, 2);
      address.copy(structure, v6 ? IN6_ADDRESS : IN_ADDRESS);
      return structure;
    },
  };
}

/** struct sockaddr_un of unix(7). null: the path is too long. */
export function unixAddress(path: string): Buffer | null {
  const bytes = Buffer.from(`${path}\0`);
  if (bytes.length > LONGEST_UNIX_PATH + 1) return null;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, bytes]);
}
