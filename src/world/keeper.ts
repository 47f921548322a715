/** Keeps copies of descriptors beyond the end of this process, for the next emperor: the service manager, where there is one. */
export interface Keeper {
  /** Keeps a copy. One that is kept already is kept once. @param name of {@link keptName} */
  keep(name: string, fd: number): void;
  /** Forgets the copy of that name; a stranger is no mistake. */
  drop(name: string): void;
}

/** What is kept: a listening socket, by its inode; the reading end of the FIFO of an instance, by the serial of that. */
export type KeptKind = 'socket' | 'log';

/** Nobody keeps anything. */
export const NO_KEEPER: Keeper = { keep: () => {}, drop: () => {} };

/** The name of one that is kept, such as `socket-4711`. */
export function keptName(kind: KeptKind, number: number): string {
  return `${kind}-${number}`;
}

/** What {@link keptName} has named; null: something else. */
export function readKeptName(name: string): { readonly kind: KeptKind; readonly number: number } | null {
  const [, kind, number] = /^(socket|log)-(\d{1,15})$/.exec(name) ?? [];
  return kind === 'socket' || kind === 'log' ? { kind, number: Number(number) } : null;
}
