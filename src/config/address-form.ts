import type { Address } from '../core/address.ts';
import { single, type Form } from './form.ts';
import { resolveFrom } from './path.ts';

/** Longest path of a unix socket in bytes: unix(7), sun_path, less its closing NUL. */
const LONGEST_PATH = 107;

/** What the emperor puts behind the path while it binds the next socket beside it. */
const BESIDE = 12;

/** Longest path of a unix socket that the emperor opens, in bytes. */
export const LONGEST_LISTENING: number = LONGEST_PATH - BESIDE;

/** An address to connect to: `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/shop.sock`; relative paths start from the folder of the file. */
export const ADDRESS: Form<Address> = addressForm(LONGEST_PATH, '"127.0.0.1:8000", "[::1]:8000" or "unix:/run/shop.sock"');

/** An address to listen on; beside the others, `*:80` and `:80` are `[::]:80`, which takes IPv4 as well. */
export const LISTEN_ADDRESS: Form<Address> = addressForm(LONGEST_LISTENING, '"127.0.0.1:8000", ":8000" or "unix:/run/shop.sock"');

function addressForm(longestPath: number, examples: string): Form<Address> {
  return single({
    label: 'an address',
    hint: `write ${examples}`,
    parse: (text, written, place) => (written === 'text' ? parseAddress(text, place.folder, longestPath) : undefined),
    advise: (text) => advise(text, longestPath),
  });
}

/** Undefined: it is no address. Host names are none: they may mean several, and change. */
function parseAddress(text: string, folder: string, longestPath: number): Address | undefined {
  return text.startsWith('unix:') ? parseUnix(text.slice('unix:'.length), folder, longestPath) : parseTcp(text);
}

/** A unix socket by its path. @param longestPath in bytes, default what the kernel takes */
export function parseUnix(path: string, folder: string, longestPath: number = LONGEST_PATH): Address | undefined {
  if (path === '' || path.startsWith('@') || /(^|\/)\.{0,2}$/.test(path)) return undefined;
  const absolute = resolveFrom(folder, path);
  return new TextEncoder().encode(absolute).length <= longestPath ? { kind: 'unix', path: absolute } : undefined;
}

/** `host:port` with an IP address, `*` or nothing as host. @param standardPort for a host alone; null: the port must be there */
export function parseTcp(text: string, standardPort: number | null = null): Address | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain = '', digits] = match;
  const host = bracketed === undefined ? parseIpv4(plain) : parseIpv6(bracketed);
  const port = digits === undefined ? standardPort : Number(digits);
  return host === undefined || port === null || port < 1 || port > 65_535 ? undefined : { kind: 'tcp', host, port, v6only: false };
}

function parseIpv4(text: string): string | undefined {
  if (text === '' || text === '*') return '::';
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text) ? text : undefined;
}

/** In its shortest form, so that two ways of writing are one address: WHATWG URL standard, IPv6 serializer. */
function parseIpv6(text: string): string | undefined {
  const url = /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`) : undefined;
  return url?.hostname.slice(1, -1);
}

function advise(text: string, longestPath: number): string | null {
  if (text.startsWith('unix:@')) return 'abstract sockets belong to nobody: name a path';
  if (text.startsWith('unix:')) return `name a file; its whole path may have ${longestPath} bytes`;
  if (/^\.{0,2}\//.test(text)) return `write "unix:${text}"`;
  if (/^\d+$/.test(text)) return `write "127.0.0.1:${text}", or ":${text}" for every network`;
  const [, host = '', port] = /^(?:\w+:\/\/)?([^/]*?)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) return 'a port is a number from 1 to 65535';
  if (host.includes(':') && !host.includes('[')) return 'put an IPv6 address in brackets, and a port behind it: "[::1]:8000"';
  if (host.toLowerCase() === 'localhost') return `write "127.0.0.1:${port ?? 8000}"`;
  if (parseTcp(host, 1) === undefined) return /^[a-z\d._-]*[a-z][a-z\d._-]*$/i.test(host) ? 'a name may mean several addresses: write the one that you mean' : null;
  return `write "${host}:${port ?? 8000}"`;
}
