import { readFileSync } from 'node:fs';
import { parseSettings, type SettingsOutcome } from '../config/settings.ts';
import { printFault } from '../core/fault.ts';
import { EmperorError, errnoOf, reasonOf } from '../errors.ts';

/** What a configuration file says; what it leaves out is not there. */
export type Configured = (SettingsOutcome & { readonly ok: true })['settings'];

/**
 * Reads `emperor.toml`.
 * @param named it was asked for by name: then it has to be there
 * @throws E_SETTINGS with all its faults
 */
export function readConfig({ path, named }: { readonly path: string; readonly named: boolean }): Configured {
  const text = textOf(path, named);
  if (text === null) return {};
  const outcome = parseSettings(text, path);
  if (outcome.ok) return outcome.settings;
  throw new EmperorError('E_SETTINGS', `cannot use ${path}:\n${outcome.faults.map((fault) => printFault(fault)).join('\n')}`);
}

function textOf(path: string, named: boolean): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (!named && errnoOf(cause) === 'ENOENT') return null;
    throw new EmperorError('E_SETTINGS', `cannot read the configuration file ${path}: ${reasonOf(cause)}`, { cause });
  }
}
