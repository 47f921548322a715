import type { Address } from '../core/address.ts';
import { parseTcp, parseUnix } from './address-form.ts';
import type { Expand } from './placeholders.ts';

/**
 * How each format writes the option `stats` (or `stats-server`) of a uwsgi section. The section is uWSGI's own and nothing else of it is read: it may hold what
 * no reader of ours knows. What is found wrongly costs an attempt to ask there, and no more.
 */
const OPTION: Readonly<Record<string, RegExp>> = {
  ini: /^[ \t]*stats(?:-server)?[ \t]*=[ \t]*(.{1,300}?)[ \t\r]*$/m,
  yaml: /^[ \t]+stats(?:-server)?[ \t]*:[ \t]+["']?([^"'#\r\n]{1,300}?)["']?[ \t\r]*(?:#.*)?$/m,
  json: /"stats(?:-server)?"\s*:\s*"([^"\\]{1,300})"/,
  xml: /<stats(?:-server)?>\s*([^<]{1,300}?)\s*<\/stats(?:-server)?>/,
};

/**
 * Where uWSGI tells of its workers, as a file with a uwsgi section says: a port, or the path of a unix socket; null: nowhere, or where we cannot find it.
 * A wildcard address is asked on loopback. Source: uWSGI docs, "The uWSGI Stats Server".
 *
 * @param folder where uWSGI runs: relative paths start there
 */
export function uwsgiStats(text: string, extension: string, folder: string, expand: Expand): Address | null {
  const written = OPTION[extension === '.yml' ? 'yaml' : extension.slice(1)]?.exec(text)?.[1];
  const value = written === undefined ? undefined : expand(written, 'stats', 1);
  if (value === undefined) return null;
  if (!value.includes(':')) return parseUnix(value, folder) ?? null;
  const address = parseTcp(value);
  if (address?.kind !== 'tcp') return null;
  const wildcard = address.host === '::' || address.host === '0.0.0.0';
  return wildcard ? { ...address, host: '127.0.0.1' } : address;
}
