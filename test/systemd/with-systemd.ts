import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../../', import.meta.url).pathname;

/** The tool that boots a private systemd around a command: named by WITH_SYSTEMD, else beside the folder of the checkout. null: there is none. */
export function withSystemd(): string | null {
  const named = process.env['WITH_SYSTEMD'];
  if (named !== undefined && named !== '') return named;
  const beside = join(ROOT, '../shared/tools/with-systemd');
  return existsSync(beside) ? beside : null;
}
