/**
 * Options that reach beyond the process: sockets, files of its own, other processes, whoever watches it; and those by which the app would be loaded in a worker only, or
 * its output would be lost. Source: uWSGI core/uwsgi.c, uwsgi_base_options, and its plugins.
 */
const REACHING = [
  '[a-z0-9-]*socket[a-z0-9-]*', 'https?2?', 'https?-[a-z0-9-]+', '(?:fast|raw|ssl|tun)router[a-z0-9-]*', 's?udp', 'zerg[a-z0-9-]*', 'subscri[a-z0-9-]+', 'emperor[a-z0-9-]*', 'legion[a-z0-9-]*', 'snmp[a-z0-9-]*', 'carbon[a-z0-9-]*', 'gateway[a-z0-9-]*',
  'stats[a-z0-9-]*', '(?:safe-)?pidfile2?', 'daemonize2?', 'logto2?', 'logger', 'req-logger', 'logfile-[a-z]+', 'log-master', 'master-fifo', 'vacuum', 'strict',
  '(?:smart-)?attach-[a-z0-9-]+', '(?:unique-|legion-)?cron2?', 'mules?', 'farm', 'spooler[a-z0-9-]*', 'touch-[a-z0-9-]+', 'fs-[a-z0-9-]+',
  'hook-[a-z0-9-]+', '(?:exec|call|mount|umount)-[a-z0-9-]+', 'lazy(?:-apps)?', 'cheap', 'idle', 'die-on-idle', 'cache2', 'reload-mercy',
].join('|');

/** A key where each format has one. uWSGI takes an option that it does not know for a placeholder, so another name switches it off. */
const KEYS: Readonly<Record<string, RegExp>> = {
  ini: new RegExp(`^([ \\t]*)(${REACHING})(?=[ \\t\\r]*(?:=|$))`, 'gm'),
  yaml: new RegExp(`^([ \\t]*(?:-[ \\t]+)?["']?)(${REACHING})(?=["']?[ \\t]*:)`, 'gm'),
  json: new RegExp(`(")(${REACHING})(?="\\s*:)`, 'g'),
  xml: new RegExp(`(</?)(${REACHING})(?=[\\s/>])`, 'g'),
};

/** The text with all switched off that reaches beyond the process: what is left loads the app, and disturbs no one. @param file its name, for its extension */
export function rehearsalText(text: string, file: string): string {
  const extension = extensionOf(file);
  const keys = KEYS[extension === 'yml' ? 'yaml' : extension] ?? KEYS['ini'];
  return keys === undefined ? text : text.replace(keys, '$1not-now-$2');
}

/**
 * The text with the placeholders filled in that depend on its folder, so that it means the same from another one, under the same name.
 * Source: uWSGI core/uwsgi.c, config_magic_table_fill. @param file absolute path, links not resolved
 */
export function placeless(text: string, file: string): string {
  const parts = file.split('/').slice(1);
  const folder = file.slice(0, file.lastIndexOf('/'));
  const values = new Map<string, string>(parts.slice(0, -1).slice(0, 10).map((part, index) => [String(index), part]));
  for (const [letter, value] of [['o', file], ['p', file], ['d', `${folder}/`], ['c', parts.at(-2) ?? '']] as const) values.set(letter, value).set(letter.toUpperCase(), value);
  return text.replace(/%([\s\S])/g, (whole, letter: string) => values.get(letter)?.replaceAll('%', '%%') ?? whole);
}

function extensionOf(file: string): string {
  return file.slice(file.lastIndexOf('.') + 1);
}
