import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';
import { asNobody, NOBODY } from './nobody.ts';

const SLEEP = ['/bin/sleep', '100000'];

/** What must not get through to a vassal. */
const PRIVATE = { MARKER: 'of the daemon alone', NOTIFY_SOCKET: '/nonexistent', LISTEN_FDS: '1', LISTEN_PID: '1', UWSGI_MODE: 'x', NODE_OPTIONS: '--no-warnings', DATABASE_PASSWORD: 'secret', LD_LIBRARY_PATH: '/nonexistent' };
/** What may. */
const PUBLIC = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', LC_TIME: 'C', TZ: 'Europe/Rome' };

/** Starts the emperor with something open that is none of its business. */
const WITH_A_DESCRIPTOR = ['bash', '-c', 'exec 200< /etc/passwd; exec "$@"', 'bash'];

/** A process as the kernel shows it. */
interface Seen {
  /** Fields of /proc/PID/status, their columns parted by a blank. */
  readonly status: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly fds: readonly string[];
  readonly session: number;
}

/** Looks at a vassal's process once it is what it was to become: setpriv(1) and sh(1) may have come before. */
async function seen(daemon: Daemon, name: string): Promise<Seen> {
  const { instances } = await daemon.untilState(name, 'ready');
  const proc = `/proc/${instances[0]!.pid}`;
  await until(() => expect(readFileSync(`${proc}/cmdline`, 'utf8')).toBe([...SLEEP, ''].join('\0')));
  const stat = readFileSync(`${proc}/stat`, 'utf8');
  return {
    status: new Map(readFileSync(`${proc}/status`, 'utf8').trim().split('\n').map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim().replaceAll('\t', ' ')])),
    environment: Object.fromEntries(readFileSync(`${proc}/environ`, 'utf8').split('\0').filter((each) => each !== '').map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)])),
    directory: readlinkSync(`${proc}/cwd`),
    fds: readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`)),
    session: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]),
  };
}

function told(process: Seen, ...fields: readonly string[]): readonly (string | undefined)[] {
  return fields.map((field) => process.status.get(field));
}

describe('a process', () => {
  it('gets what its file says, and of the emperor only a few variables', async () => {
    const place = makePlace();
    const folder = join(place.folder, 'app');
    mkdirSync(folder);
    writeFileSync(join(place.vassals, 'shop.env'), 'FROM_FILE="two words"\nBOTH=file\n');
    await using daemon = await Daemon.start(place, { env: { ...PRIVATE, ...PUBLIC }, through: WITH_A_DESCRIPTOR });
    daemon.write('shop.toml', toml(SLEEP, `directory = "${folder}"`, 'umask = "027"', 'environment = { PORT = "8000", BOTH = "vassal", EMPTY = "" }', 'environment-file = "shop.env"'));
    const shop = await seen(daemon, 'shop');
    const me = userInfo();
    expect(shop.environment).toEqual({
      ...PUBLIC, HOME: me.homedir, USER: me.username, LOGNAME: me.username, SHELL: me.shell, FROM_FILE: 'two words', BOTH: 'vassal', PORT: '8000', EMPTY: '',
      EMPEROR_VASSAL: 'shop', EMPEROR_INSTANCE: 'shop#1', EMPEROR_STATE: place.state, ...(shop.environment['PWD'] === undefined ? {} : { PWD: folder }),
    });
    expect(shop.directory).toBe(folder);
    expect(told(shop, 'Umask', 'SigBlk', 'SigIgn', 'SigCgt')).toEqual(['0027', ...Array<string>(3).fill('0'.repeat(16))]);
    expect(shop.session).toBe(Number(shop.status.get('Pid')));
    const fifo = expect.stringMatching(new RegExp(`^${place.state}/fifos/\\d+$`)) as string;
    expect(shop.fds).toEqual(['/dev/null', fifo, fifo]);
  });

  it('without a word about it starts in the folder of its file, as who the emperor is', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const shop = await seen(daemon, 'shop');
    expect(shop.directory).toBe(daemon.place.vassals);
    const emperor = new Map(readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8').split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim().replaceAll('\t', ' ')]));
    for (const field of ['Uid', 'Gid', 'Groups', 'Umask', 'CapEff']) expect([field, shop.status.get(field)]).toEqual([field, emperor.get(field)]);
  });
});

describe.runIf(process.getuid?.() === 0)('an emperor that is root', () => {
  it.each<readonly [string, readonly string[], string, string, string]>([
    ['a user', ['user = "nobody"'], 'nobody', `${NOBODY}`, `${NOBODY}`],
    ['a user by number', [`user = "${NOBODY}"`], 'nobody', `${NOBODY}`, `${NOBODY}`],
    ['a user and a group', ['user = "nobody"', 'group = "daemon"'], 'nobody', `${NOBODY}`, '1'],
    ['a user and a umask', ['user = "nobody"', 'umask = "0077"'], 'nobody', `${NOBODY}`, `${NOBODY}`],
    ['a group alone', ['group = "daemon"'], 'root', '0', '1'],
  ])('becomes %s for good', async (_what, lines, name, uid, gid) => {
    await using daemon = await Daemon.start(makePlace(), { env: PRIVATE });
    daemon.write('shop.toml', toml(SLEEP, ...lines, 'directory = "/"'));
    const shop = await seen(daemon, 'shop');
    const four = (id: string): string => Array<string>(4).fill(id).join(' ');
    expect(told(shop, 'Uid', 'Gid')).toEqual([four(uid), four(gid)]);
    if (uid !== '0') expect(told(shop, 'Groups', 'CapPrm', 'CapEff', 'CapInh', 'CapAmb')).toEqual([`${NOBODY}`, ...Array<string>(4).fill('0'.repeat(16))]);
    if (lines.includes('umask = "0077"')) expect(shop.status.get('Umask')).toBe('0077');
    expect(shop.environment).toMatchObject({ USER: name, LOGNAME: name });
    expect(Object.keys(shop.environment).filter((variable) => Object.hasOwn(PRIVATE, variable))).toEqual([]);
    expect(shop.fds).toHaveLength(3);
    expect(daemon.survivors()).toEqual([Number(shop.status.get('Pid'))]);
    expect((await daemon.cli('stop', 'shop')).code).toBe(0);
    expect(daemon.survivors()).toEqual([]);
  });

  it('takes back what runs as another user, and sees its output and its end', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'while :; do id -un; sleep 0.01; done'], 'user = "nobody"', 'directory = "/"'));
    const before = await daemon.untilState('shop', 'ready');
    await daemon.end('SIGKILL');
    await using next = await daemon.successor();
    const after = await next.untilState('shop', 'ready');
    expect(after.instances[0]).toMatchObject({ pid: before.instances[0]!.pid, adopted: true });
    const log = join(next.place.logs, 'shop.log');
    const size = readFileSync(log).length;
    await until(() => expect(readFileSync(log).length).toBeGreaterThan(size));
    expect(readFileSync(log, 'utf8')).toMatch(/^(nobody\n)+$/);
    process.kill(after.instances[0]!.pid!, 'SIGKILL');
    await next.untilReplaced('shop', after);
  });

  it('runs a program that only another user may execute, and not one that this user may not', async () => {
    const place = makePlace();
    writeFileSync(join(place.folder, 'app'), '#!/bin/sh\nexec sleep 100000\n', { mode: 0o700 });
    await using daemon = await Daemon.start(place);
    daemon.write('mine.toml', toml([join(place.folder, 'app')]));
    daemon.write('theirs.toml', toml([join(place.folder, 'app')], 'user = "nobody"', 'directory = "/"'));
    await daemon.untilState('mine', 'ready');
    const theirs = await daemon.until(({ vassals }) => vassals.some(({ name, failure }) => name === 'theirs' && failure !== null), 'nobody may not');
    expect(theirs.vassals.find(({ name }) => name === 'theirs')?.state).not.toBe('ready');
  });
});

describe('an emperor that is not root', () => {
  it('runs who it is, and no one else', async () => {
    const place = makePlace();
    await using daemon = await asNobody(place, PRIVATE);
    const own = process.getuid?.() === 0 ? 'nobody' : userInfo().username;
    daemon.write('own.toml', toml(SLEEP, `user = "${own}"`, 'umask = "077"'));
    daemon.write('other.toml', toml(SLEEP, 'user = "root"'));
    daemon.write('another.toml', toml(SLEEP, 'group = "root"'));
    const process_ = await seen(daemon, 'own');
    expect(told(process_, 'Umask')).toEqual(['0077']);
    expect(process_.environment).toMatchObject({ USER: own });
    expect((await daemon.untilState('other', 'invalid')).failure?.code).toBe('E_USER');
    expect((await daemon.untilState('another', 'invalid')).failure?.code).toBe('E_USER');
  });
});
