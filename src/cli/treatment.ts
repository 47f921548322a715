import { resolve } from 'node:path';
import type { Treatment } from '../emperor/settings.ts';
import type { Configured } from './read-config.ts';

/** Flags that say how it is found out which files of uWSGI are on demand. */
export interface DemandFlags {
  readonly onDemandExtension?: string;
  readonly onDemandDirectory?: string;
  readonly onDemandExec?: string;
}

/** How vassal files are to be taken; none: plainly. The order of uWSGI's arguments is that of its own Emperor: core/emperor.c, vassal_new_argv. */
export function treatmentOf(configured: Configured, flags: DemandFlags & { readonly tyrant?: boolean; readonly waitForCommand?: boolean }): { readonly treatment?: Treatment } {
  const tyrant = flags.tyrant ?? configured.tyrant ?? false;
  const arguments_ = (flag: string, values: readonly string[] = []): readonly string[] => values.flatMap((value) => [flag, value]);
  const treatment: Treatment = {
    tyrant: tyrant ? { nofollow: configured['tyrant-nofollow'] ?? false, keys: configured['tyrant-keys'] ?? [], options: configured['tyrant-options'] ?? [] } : null,
    noNewPrivileges: configured['no-new-privileges'] ?? tyrant,
    capabilities: configured.cap ?? null,
    extensions: configured['extra-extensions'] ?? [],
    nofollow: configured.nofollow ?? false,
    magicExec: configured['magic-exec'] ?? false,
    waitForCommand: (flags.waitForCommand ?? configured['wait-for-command']) === true ? { ignore: configured['wait-for-command-ignore'] ?? [] } : null,
    demand: demandOf(configured, flags),
    uwsgi: {
      before: [...arguments_('--inherit', configured['vassals-inherit-before']), ...arguments_('--include', configured['vassals-include-before']), ...arguments_('--set', configured['vassal-set'])],
      after: [...arguments_('--inherit', configured['vassals-inherit']), ...arguments_('--include', configured['vassals-include'])],
    },
  };
  const plain = !tyrant && !treatment.noNewPrivileges && treatment.capabilities === null && !treatment.nofollow && !treatment.magicExec && treatment.waitForCommand === null && treatment.demand === null
    && [treatment.extensions, treatment.uwsgi.before, treatment.uwsgi.after].every((each) => each.length === 0);
  return plain ? {} : { treatment };
}

/** Of several ways the first counts, in the order of uWSGI: core/emperor.c, emperor_check_on_demand_socket. */
function demandOf(configured: Configured, flags: DemandFlags): Treatment['demand'] {
  const end = flags.onDemandExtension ?? configured['on-demand-extension'];
  if (end !== undefined) return { kind: 'extension', end };
  const folder = flags.onDemandDirectory ?? configured['on-demand-directory'];
  if (folder !== undefined) return { kind: 'directory', folder: resolve(folder) };
  const command = flags.onDemandExec ?? configured['on-demand-exec'];
  return command === undefined ? null : { kind: 'exec', command };
}
