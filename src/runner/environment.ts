import type { User } from '../kernel/user.ts';

/** By these a process tells whose it is, to itself and to the next emperor. */
export const MARKS = {
  /** The vassal's name. */
  vassal: 'EMPEROR_VASSAL',
  /** The instance's id. */
  instance: 'EMPEROR_INSTANCE',
  /** The state folder of the emperor that started it. */
  state: 'EMPEROR_STATE',
} as const;

/** PATH of an instance where the emperor itself has none; that of systemd. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** All that an environment is made of. */
export interface EnvironmentSources {
  /** The emperor's own environment. */
  readonly emperor: Readonly<Record<string, string | undefined>>;
  /** Whom the instance runs as; null: whoever starts it chooses, and tells it. */
  readonly user: User | null;
  /** From the vassal's environment file. */
  readonly file: Readonly<Record<string, string>>;
  /** From the vassal file itself; the last word. */
  readonly spec: Readonly<Record<string, string>>;
  /** How it comes to its sockets. */
  readonly sockets: Readonly<Record<string, string>>;
  /** How it tells that it is ready. */
  readonly notify: Readonly<Record<string, string>>;
  /** Where its channel is; empty where it has none. */
  readonly channel: Readonly<Record<string, string>>;
  readonly vassalName: string;
  /** Its id; empty: it is about none. */
  readonly instance: string;
  /** The emperor's state folder. */
  readonly state: string;
}

/**
 * Makes the environment of an instance. It starts clean: of the emperor's own only PATH, LANG, LC_* and TZ go through, so nothing that was
 * meant for the emperor (NOTIFY_SOCKET, LISTEN_FDS, UWSGI_*, secrets) leaks. The marks cannot be overridden.
 */
export function instanceEnvironment(sources: EnvironmentSources): Record<string, string> {
  const { emperor, user } = sources;
  const environment: Record<string, string> = { PATH: DEFAULT_PATH };
  const asked = { ...sources.file, ...sources.spec };
  const given = Object.keys(sources.channel).length === 0 ? asked : withoutClaims(asked);
  for (const [name, value] of Object.entries(emperor)) {
    if (value !== undefined && /^(?:PATH|LANG|LC_.*|TZ)$/.test(name)) environment[name] = value;
  }
  return {
    ...environment,
    ...(user === null ? {} : { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell }),
    ...given,
    ...sources.sockets,
    ...sources.notify,
    ...sources.channel,
    [MARKS.vassal]: sources.vassalName,
    [MARKS.instance]: sources.instance,
    [MARKS.state]: sources.state,
  };
}

/** Variables by which uWSGI would take itself for one that reloads, has another emperor, or is governed by systemd or Upstart. Other `UWSGI_…` are options. */
const CLAIMS = /^(?:UWSGI_(?:RELOADS|ORIGINAL_PROC_NAME|EMPEROR_.*|BROODLORD_NUM)|NOTIFY_SOCKET|LISTEN_.*|UPSTART_.*)$/;

/** What a file asks for, but for what only the one who starts a vassal of uWSGI may say. */
function withoutClaims(asked: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(asked).filter(([name]) => !CLAIMS.test(name)));
}
