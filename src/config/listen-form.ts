import { printAddress, type Address, type Listen } from '../core/address.ts';
import { LISTEN_ADDRESS } from './address-form.ts';
import { refuse, type Form, type Place } from './form.ts';
import { key, tableOf, type Given, type Keys } from './keys.ts';
import { listOf } from './list-form.ts';
import { ACCOUNT, BOOLEAN, integer } from './single-forms.ts';
import type { Node } from './tree.ts';
import { MODE } from './units.ts';

/** The keys of an address of `listen` that is written as a table. */
export interface ListenKeys {
  readonly address: Address;
  readonly mode: number;
  readonly user: string;
  readonly group: string;
  readonly backlog: number;
  readonly v6only: boolean;
}

/** Each is a descriptor of the emperor's, which has some for everybody. */
const MOST_ADDRESSES = 1_000;

/** What Linux allows since 5.4 (net.core.somaxconn), and so what systemd gets; gunicorn asks for 2048, uWSGI for 100. */
export const DEFAULT_BACKLOG = 4096;

export const LISTEN_KEYS: Keys<ListenKeys> = {
  address: key(LISTEN_ADDRESS, '', '"unix:/run/shop.sock"', 'the address, where more than that is to be said'),
  mode: key(MODE, '660', '"660"', 'permissions of a unix socket, in octal'),
  user: key(ACCOUNT, "the instances'", '"www-data"', 'owner of a unix socket'),
  group: key(ACCOUNT, "the instances'", '"www-data"', 'group of a unix socket, for example that of the web server'),
  backlog: key(integer(1, 65_535), String(DEFAULT_BACKLOG), '4096', 'connections that may wait to be accepted; the kernel allows `net.core.somaxconn`'),
  v6only: key(BOOLEAN, 'false', 'true', 'an IPv6 address takes no IPv4 connections'),
};

const TABLE: Form<Given<ListenKeys>> = tableOf(LISTEN_KEYS);

/** One address: text, or a table. */
const ONE: Form<Listen> = {
  label: LISTEN_ADDRESS.label,
  hint: LISTEN_ADDRESS.hint,
  read(node, place) {
    if (node.kind !== 'table') {
      const address = LISTEN_ADDRESS.read(node, place);
      return address === undefined ? undefined : listenOf(address, {});
    }
    const given = TABLE.read(node, place);
    if (!node.entries.has('address')) return refuse(place, `"${place.key}" has a table without "address"`, `for example address = ${LISTEN_KEYS.address.example}`, 'E_KEY_MISSING');
    if (given?.address === undefined) return undefined;
    const stray = strayKey(given.address, given);
    if (stray === null) return listenOf(given.address, given);
    const inner = { ...place, key: `${place.key}.${stray.key}`, line: node.entries.get(stray.key)?.line ?? place.line };
    return refuse(inner, `"${inner.key}" means nothing for ${printAddress(given.address)}`, stray.hint, 'E_KEY_CONFLICT');
  },
};

/** Addresses, each of them once. */
export const LISTEN: Form<readonly Listen[]> = {
  label: 'an address, or a list of addresses',
  hint: LISTEN_ADDRESS.hint,
  read(node, place) {
    if (node.kind === 'list' && node.items.length > MOST_ADDRESSES) return refuse(place, `"${place.key}" has more than ${MOST_ADDRESSES} addresses`, 'divide them among several vassals');
    const all = listOf(ONE).read(node, place);
    return all === undefined || tellTwins(all, node, place) ? undefined : all;
  },
};

function listenOf(address: Address, { mode, user, group, backlog, v6only }: Given<ListenKeys>): Listen {
  return {
    address: address.kind === 'tcp' ? { ...address, v6only: v6only ?? false } : address,
    backlog: backlog ?? DEFAULT_BACKLOG,
    mode: mode ?? null,
    user: user ?? null,
    group: group ?? null,
  };
}

function strayKey(address: Address, given: Given<ListenKeys>): { readonly key: keyof ListenKeys; readonly hint: string } | null {
  const unixOnly = (['mode', 'user', 'group'] as const).find((key) => given[key] !== undefined);
  if (address.kind === 'tcp' && unixOnly !== undefined) return { key: unixOnly, hint: 'it is for unix sockets' };
  if (given.v6only !== undefined && (address.kind === 'unix' || !address.host.includes(':'))) return { key: 'v6only', hint: 'it is for IPv6 addresses' };
  return null;
}

function tellTwins(all: readonly Listen[], node: Node, place: Place): boolean {
  const printed = all.map(({ address }) => printAddress(address));
  const twin = printed.findIndex((text, index) => printed.indexOf(text) < index);
  if (twin === -1) return false;
  const line = node.kind === 'list' ? node.items[twin]?.line : undefined;
  refuse({ ...place, line: line ?? place.line }, `"${place.key}" has ${printed[twin]} twice`, 'remove one of the two');
  return true;
}
