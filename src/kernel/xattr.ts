import type { Libc } from './libc.ts';

/** The value of an extended attribute; null: it has none of that name, or it may not be seen. */
export type ReadXattr = (path: string, name: string) => string | null;

/** More than we ask for has. */
const MOST_BYTES = 256;

/** Binds getxattr(2). */
export function openXattr(libc: Libc): ReadXattr {
  const getxattr = libc.bind<(path: string, name: string, value: Uint8Array, size: number) => number>(
    'long getxattr(const char *path, const char *name, void *value, size_t size)',
  );
  return (path, name) => {
    const value = Buffer.alloc(MOST_BYTES);
    const length = getxattr(path, name, value, MOST_BYTES);
    return length < 0 ? null : value.toString('utf8', 0, length);
  };
}
