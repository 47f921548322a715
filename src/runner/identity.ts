import type { VassalSpec } from '../core/spec.ts';
import type { User, UserDatabase } from '../kernel/user.ts';

/** Whom an instance runs as. */
export interface RunsAs {
  readonly user: User;
  /** Its group: the one asked for, else the user's own. */
  readonly gid: number;
  /** It is not what the emperor itself is, so something has to change it. */
  readonly changes: boolean;
}

/** Who the emperor itself is. */
export interface EmperorIdentity {
  readonly user: User;
  readonly gid: number;
}

/** Looks up who we are: getuid(2). In a container the number may be without a name; then HOME is `/`. */
export function ownIdentity(users: UserDatabase): EmperorIdentity {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  return { user: users.user(String(uid)) ?? { uid, gid, name: String(uid), home: '/', shell: '/bin/sh' }, gid };
}

/** Resolves the user and group of a spec. @returns why not, in words, and the key to blame */
export function runsAs(
  spec: Pick<VassalSpec, 'user' | 'group'>,
  own: EmperorIdentity,
  users: UserDatabase,
): RunsAs | { readonly refused: string; readonly key: 'user' | 'group' } {
  const user = spec.user === null ? own.user : users.user(spec.user);
  if (user === null) return { refused: `the user "${spec.user}" does not exist`, key: 'user' };
  let gid = spec.user === null ? own.gid : user.gid;
  if (spec.group !== null) {
    const group = users.group(spec.group);
    if (group === null) return { refused: `the group "${spec.group}" does not exist`, key: 'group' };
    gid = group;
  }
  if (own.user.uid !== 0 && user.uid !== own.user.uid) {
    return { refused: `only root can become the user "${user.name}", and the emperor runs as "${own.user.name}"`, key: 'user' };
  }
  if (own.user.uid !== 0 && gid !== own.gid) {
    return { refused: `only root can become the group "${spec.group ?? gid}", and the emperor runs as "${own.user.name}"`, key: 'group' };
  }
  return { user, gid, changes: user.uid !== own.user.uid || gid !== own.gid };
}
