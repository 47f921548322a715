import { existsSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { meaning, parseVassal, type ParseContext } from '../config/vassal.ts';
import type { GeneralHooks } from '../config/hook-keys.ts';
import type { Host } from '../config/placeholders.ts';
import { TYRANT_KEYS, type TyrantRules } from '../config/tyrant.ts';
import { TYRANT_OPTIONS } from '../config/tyrant-options.ts';
import type { Basis } from '../core/basis.ts';
import type { VassalId } from '../core/listing.ts';
import type { VassalSpec } from '../core/spec.ts';
import { EmperorError } from '../errors.ts';
import type { Libc } from '../kernel/libc.ts';
import { openUserDatabase, type UserDatabase } from '../kernel/user.ts';
import { presets } from '../presets/registry.ts';
import { ownIdentity, runsAs } from '../runner/identity.ts';
import { vet, type Verdict } from '../runner/vet.ts';
import { awaitsCommandBy, type AwaitsCommand } from './awaits-command.ts';
import type { Parse } from './parse-once.ts';
import type { Treatment } from './settings.ts';

/** How this host reads a vassal file, and whether it could run it. The daemon and `emperor check` judge alike. */
export interface Judge {
  readonly parse: Parse;
  /** What a text with defaults is compared by. */
  readonly meaning: (file: { readonly id: VassalId; readonly text: string; readonly basis: Basis }, hash: string) => string;
  readonly vet: (id: VassalId, spec: VassalSpec) => Verdict;
  /** Whether a vassal is started by an order only. */
  readonly awaitsCommand: AwaitsCommand;
  /** Whom a vassal with such a user and group runs as; the emperor itself where they do not exist. */
  readonly ownerOf: (whom: Pick<VassalSpec, 'user' | 'group'>) => { readonly uid: number; readonly gid: number };
  /** What holds for an instance of which no text is known: the defaults. */
  readonly unknown: VassalSpec;
}

/** Its being there means that the host was booted with systemd: sd_booted(3). */
const SYSTEMD = '/run/systemd/system';

/** A judge for this host. @param environment the emperor's own, for `$(NAME)` and PATH @param hooks those of all vassals; default: none @param treatment absent: plainly */
export function judgeOf(libc: Libc, environment: Readonly<Record<string, string | undefined>>, hooks: GeneralHooks = { own: [], vassalsStart: null, vassalsStop: null }, treatment?: Treatment): Judge {
  const users = openUserDatabase(libc);
  const own = ownIdentity(users);
  const host: Host = {
    hostname: hostname(),
    cpus: availableParallelism(),
    uid: own.user.uid,
    user: own.user.name,
    gid: own.gid,
    group: users.groupName(own.gid) ?? String(own.gid),
  };
  const known = presets();
  const packages = new Map([...known.values()].map((preset) => [preset.name, preset.debianPackage]));
  const plain: ParseContext = { host, environment, presets: known, hooks };
  const context: ParseContext = { ...plain, ...(treatment === undefined ? {} : { extensions: treatment.extensions, uwsgi: treatment.uwsgi, ...tyrantIn(treatment, users) }) };
  const parse: Parse = (file) => parseVassal(file, context);
  const bare = parseVassal({ id: '/unknown.json' as VassalId, text: '{"vassal":{"command":["unknown"]}}' }, plain);
  if (!bare.ok) throw new EmperorError('E_BUG', 'a file with nothing but a command is at fault');
  return {
    parse,
    meaning: (file, hash) => meaning(file, hash, context),
    awaitsCommand: awaitsCommandBy(treatment?.waitForCommand ?? null),
    unknown: bare.spec,
    ownerOf: (whom) => {
      const person = runsAs(whom, own, users);
      return 'refused' in person ? { uid: own.user.uid, gid: own.gid } : { uid: person.user.uid, gid: person.gid };
    },
    vet: (id, spec) => vet(id, spec, { users, own, path: environment['PATH'], systemd: existsSync(SYSTEMD), packages }),
  };
}

function tyrantIn({ tyrant }: Treatment, users: UserDatabase): { readonly tyrant?: TyrantRules } {
  if (tyrant === null) return {};
  return {
    tyrant: {
      keys: new Set([...TYRANT_KEYS, ...tyrant.keys]),
      options: new Set([...TYRANT_OPTIONS, ...tyrant.options]),
      nofollow: tyrant.nofollow,
      personOf: ({ uid, gid }) => {
        const user = users.user(String(uid));
        return user === null ? null : { user: user.name, group: users.groupName(gid) ?? String(gid) };
      },
    },
  };
}
