import { readFileSync } from 'node:fs';

/** The version of this emperor, from its package.json; the same beside the sources and beside what is built from them. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  if (typeof version !== 'string') throw new Error('package.json has no version');
  return version;
}
