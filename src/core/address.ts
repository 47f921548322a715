/** Where a vassal can be reached. Hosts are IP addresses: names are for people, and may mean several. */
export type Address =
  /** `v6only` is false for everything but IPv6 without IPv4: `[::]` takes both, as it does by default on Linux. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly v6only: boolean }
  | { readonly kind: 'unix'; readonly path: string };

/** An address that the emperor opens and holds. */
export interface Listen {
  readonly address: Address;
  /** Connections that may wait to be accepted; the kernel cuts it at net.core.somaxconn. */
  readonly backlog: number;
  /** Permissions of a unix socket; null: 0660. */
  readonly mode: number | null;
  /** Owner and group of a unix socket, by name or number; null: those of the instances. */
  readonly user: string | null;
  readonly group: string | null;
}

/** As it is written in a vassal file: `127.0.0.1:8000`, `[::]:80`, `unix:/run/shop.sock`. */
export function printAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The same for all that mean the same place to bind to. */
export function keyOf(address: Address): string {
  return address.kind === 'tcp' && address.v6only ? `${printAddress(address)} v6only` : printAddress(address);
}

/** True if both mean the same place to bind to. */
export function sameAddress(a: Address, b: Address): boolean {
  return keyOf(a) === keyOf(b);
}
