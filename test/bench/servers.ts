/** Small servers that say what they do on the FIFO of a bench, by name. */
export const SERVERS: Readonly<Record<'node' | 'python', (fifo: string) => readonly string[]>> = {
  node: (fifo) => [process.execPath, new URL('serves.mjs', import.meta.url).pathname, fifo],
  python: (fifo) => ['/usr/bin/python3', new URL('serves.py', import.meta.url).pathname, fifo],
};

const PORT = 8_000;

/** An address of this host that nobody else has: 127.0.0.0/8 is all ours, and the port is below those that the kernel gives out. */
export function addressOf(each: number): { readonly host: string; readonly port: number } {
  return { host: `127.77.${1 + Math.floor(each / 250)}.${1 + (each % 250)}`, port: PORT };
}

/** As it is written in `listen`. */
export function listenOn(each: number): string {
  const { host, port } = addressOf(each);
  return `listen = "${host}:${port}"`;
}

/** How many of those addresses somebody listens on: proc_pid_net(5), state 0A. Addresses there are hex, the first byte last. @param procNetTcp text of /proc/net/tcp */
export function countListening(procNetTcp: string): number {
  const port = PORT.toString(16).toUpperCase().padStart(4, '0');
  return [...procNetTcp.matchAll(new RegExp(`^ *\\d+: [0-9A-F]{4}4D7F:${port} \\S+ 0A `, 'gm'))].length;
}
