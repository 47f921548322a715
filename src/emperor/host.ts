import { existsSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { parseVassal } from '../config/vassal.ts';
import type { Host } from '../config/placeholders.ts';
import type { Outcome, VassalId } from '../core/listing.ts';
import type { VassalSpec } from '../core/spec.ts';
import { EmperorError } from '../errors.ts';
import type { Libc } from '../kernel/libc.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { presets } from '../presets/registry.ts';
import { ownIdentity, runsAs } from '../runner/identity.ts';
import { vet, type Verdict } from '../runner/vet.ts';

/** How this host reads a vassal file, and whether it could run it. The daemon and `emperor check` judge alike. */
export interface Judge {
  readonly parse: (file: { readonly id: VassalId; readonly text: string }) => Outcome;
  readonly vet: (id: VassalId, spec: VassalSpec) => Verdict;
  /** Whom a vassal with such a user and group runs as; the emperor itself where they do not exist. */
  readonly ownerOf: (whom: Pick<VassalSpec, 'user' | 'group'>) => { readonly uid: number; readonly gid: number };
  /** What holds for an instance of which no text is known: the defaults. */
  readonly unknown: VassalSpec;
}

/** Its being there means that the host was booted with systemd: sd_booted(3). */
const SYSTEMD = '/run/systemd/system';

/** A judge for this host. @param environment the emperor's own, for `$(NAME)` and PATH */
export function judgeOf(libc: Libc, environment: Readonly<Record<string, string | undefined>>): Judge {
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
  const parse = (file: { readonly id: VassalId; readonly text: string }): Outcome => parseVassal(file, { host, environment, presets: known });
  const bare = parse({ id: '/unknown.json' as VassalId, text: '{"vassal":{"command":["unknown"]}}' });
  if (!bare.ok) throw new EmperorError('E_BUG', 'a file with nothing but a command is at fault');
  return {
    parse,
    unknown: bare.spec,
    ownerOf: (whom) => {
      const person = runsAs(whom, own, users);
      return 'refused' in person ? { uid: own.user.uid, gid: own.gid } : { uid: person.user.uid, gid: person.gid };
    },
    vet: (id, spec) => vet(id, spec, { users, own, path: environment['PATH'], systemd: existsSync(SYSTEMD), packages }),
  };
}
