import type { Address } from '../core/address.ts';
import { LONGEST_LISTENING, parseTcp, parseUnix } from './address-form.ts';

/** An address as uWSGI takes it, or why nobody but uWSGI knows where that is, and what to write. */
export type UwsgiAddress = { readonly ok: true; readonly address: Address } | { readonly ok: false; readonly message: string; readonly hint: string };

/**
 * Reads an address of uWSGI: what has a colon is a port (`:80` is all of IPv4), all else the path of a unix socket. Refused is what uWSGI makes up itself as it starts.
 * Source: uWSGI core/socket.c, uwsgi_bind_sockets, generate_socket_name.
 * @param text with its placeholders filled in
 * @param folder where relative paths start, absolute
 */
export function parseUwsgiAddress(text: string, folder: string): UwsgiAddress {
  const refuse = (message: string, hint: string): UwsgiAddress => ({ ok: false, message, hint });
  if (text.startsWith('fd://')) return refuse(`"${text}" is a descriptor, and no address`, 'write the address');
  if (text.startsWith('@') || text.startsWith('\\0')) return refuse('abstract sockets belong to nobody', 'name a path');
  if (/^[a-z]+:\/\//.test(text) || text.startsWith('unix:')) return refuse(`"${text}" is no address of uWSGI`, 'write "127.0.0.1:8000" or "/run/shop.sock"');
  if (!text.includes(':')) {
    const address = parseUnix(text, folder, LONGEST_LISTENING);
    return address === undefined ? refuse(`"${text}" cannot be the path of a unix socket`, `name a file; its whole path may have ${LONGEST_LISTENING} bytes`) : { ok: true, address };
  }
  const [, host = '', port = ''] = /^(.*):([^:]*)$/.exec(text) ?? [];
  if (!/^\d+$/.test(port) || Number(port) > 65_535) return refuse(`"${text}" has no port`, 'a port is a number from 1 to 65535');
  if (Number(port) === 0) return refuse('with port 0 the address is known to nobody but uWSGI', 'write the port');
  if (host.includes('*')) return refuse(`which address "${host}" is, is known to nobody but uWSGI`, `write the address that you mean, or ":${port}" for all of them`);
  const address = parseTcp(host === '' ? `0.0.0.0:${port}` : text);
  return address === undefined ? refuse(`which address "${host}" is, is known to nobody but uWSGI`, 'a name may mean several addresses: write the one that you mean') : { ok: true, address };
}
