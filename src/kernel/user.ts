import koffi from 'koffi';
import type { Libc } from './libc.ts';

/** A user as the host knows it: passwd(5). */
export interface User {
  readonly uid: number;
  /** Its primary group. */
  readonly gid: number;
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/**
 * Who the users and groups of this host are. Asks through NSS, so that users of LDAP and systemd are found, too; with such
 * a source a question may take as long as its server.
 */
export interface UserDatabase {
  /** By name, or by number if it is all digits and no name. getpwnam(3), getpwuid(3). null: there is none. */
  user(nameOrNumber: string): User | null;
  /** Number of a group, by name or number. getgrnam(3), getgrgid(3). null: there is none. */
  group(nameOrNumber: string): number | null;
  /** Name of a group; null: it has none. getgrgid(3). */
  groupName(gid: number): string | null;
}

const NUMBER = /^[0-9]{1,10}$/;

/** Binds the calls. */
export function openUserDatabase(libc: Libc): UserDatabase {
  const passwd = koffi.struct({ name: 'str', password: 'str', uid: 'uint', gid: 'uint', comment: 'str', home: 'str', shell: 'str' });
  const group = koffi.struct({ name: 'str', password: 'str', gid: 'uint', members: 'void *' });
  type Pointer = bigint | null;
  const getpwnam = libc.bind<(name: string) => Pointer>('void *getpwnam(const char *name)');
  const getpwuid = libc.bind<(uid: number) => Pointer>('void *getpwuid(uint uid)');
  const getgrnam = libc.bind<(name: string) => Pointer>('void *getgrnam(const char *name)');
  const getgrgid = libc.bind<(gid: number) => Pointer>('void *getgrgid(uint gid)');

  return {
    user(nameOrNumber) {
      const found = getpwnam(nameOrNumber) ?? (NUMBER.test(nameOrNumber) ? getpwuid(Number(nameOrNumber)) : null);
      if (found === null) return null;
      const { uid, gid, name, home, shell } = koffi.decode(found, passwd);
      return { uid, gid, name, home, shell };
    },
    group(nameOrNumber) {
      const found = getgrnam(nameOrNumber) ?? (NUMBER.test(nameOrNumber) ? getgrgid(Number(nameOrNumber)) : null);
      return found === null ? null : koffi.decode(found, group).gid;
    },
    groupName(gid) {
      const found = getgrgid(gid);
      return found === null ? null : koffi.decode(found, group).name;
    },
  };
}
