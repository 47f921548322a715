import type { Treatment } from '../emperor/settings.ts';
import type { Configured } from './read-config.ts';

/** How vassal files are to be taken; none: plainly. The order of uWSGI's arguments is that of its own Emperor: core/emperor.c, vassal_new_argv. */
export function treatmentOf(configured: Configured, flags: { readonly tyrant?: boolean; readonly waitForCommand?: boolean }): { readonly treatment?: Treatment } {
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
    uwsgi: {
      before: [...arguments_('--inherit', configured['vassals-inherit-before']), ...arguments_('--include', configured['vassals-include-before']), ...arguments_('--set', configured['vassal-set'])],
      after: [...arguments_('--inherit', configured['vassals-inherit']), ...arguments_('--include', configured['vassals-include'])],
    },
  };
  const plain = !tyrant && !treatment.noNewPrivileges && treatment.capabilities === null && !treatment.nofollow && !treatment.magicExec && treatment.waitForCommand === null
    && [treatment.extensions, treatment.uwsgi.before, treatment.uwsgi.after].every((each) => each.length === 0);
  return plain ? {} : { treatment };
}
