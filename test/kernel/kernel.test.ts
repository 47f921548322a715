import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openEpoll } from '../../src/kernel/epoll.ts';
import { fifoMaker } from '../../src/kernel/fifo.ts';
import { errnoName, kernelError, openLibc } from '../../src/kernel/libc.ts';
import { openPidfds, type Ending } from '../../src/kernel/pidfd.ts';
import { openSpawn, type SpawnRequest, type SpawnResult } from '../../src/kernel/spawn.ts';
import { openUserDatabase } from '../../src/kernel/user.ts';
import { until } from '../until.ts';

const libc = openLibc();
const scratch = mkdtempSync(join(tmpdir(), 'emperor-kernel-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('errors of system calls', () => {
  it.each([[2, 'ENOENT'], [10, 'ECHILD'], [11, 'EAGAIN'], [17, 'EEXIST'], [9999, 'errno 9999']])('number %i is %s', (number, name) => {
    expect(errnoName(number)).toBe(name);
  });

  it('say the call, the subject and the name', () => {
    expect(kernelError('mkfifo', '/x', 'EEXIST')).toMatchObject({ code: 'E_KERNEL', message: 'mkfifo /x: EEXIST', cause: 'EEXIST' });
  });
});

describe('mkfifo', () => {
  it('makes a FIFO, once', () => {
    const path = join(scratch, 'fifo');
    const makeFifo = fifoMaker(libc);
    makeFifo(path, 0o600);
    expect(statSync(path).isFIFO()).toBe(true);
    expect(() => makeFifo(path, 0o600)).toThrow(`mkfifo ${path}: EEXIST`);
  });
});

describe('the user database', () => {
  const users = openUserDatabase(libc);
  const self = userInfo();

  it('knows a user by name and by number', () => {
    const expected = { uid: self.uid, gid: self.gid, name: self.username, home: self.homedir, shell: self.shell };
    expect(users.user(self.username)).toEqual(expected);
    expect(users.user(String(self.uid))).toEqual(expected);
  });

  it('knows a group by name and by number', () => {
    const [line = ''] = readFileSync('/etc/group', 'utf8').split('\n').filter((each) => each.startsWith('daemon:'));
    const gid = Number(line.split(':')[2]);
    expect([users.group('daemon'), users.group(String(gid)), users.groupName(gid)]).toEqual([gid, gid, 'daemon']);
  });

  it.each(['no-such-one', '4000000000', '-1', '', '1x'])('does not know %j', (name) => {
    expect([users.user(name), users.group(name)]).toEqual([null, null]);
  });
});

describe('epoll', () => {
  function openFifo(name: string): { readFd: number; writeFd: number } {
    const path = join(scratch, name);
    fifoMaker(libc)(path, 0o600);
    return { readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writeFd: openSync(path, constants.O_RDWR) };
  }

  it('calls back for as long as there is something to read, and when the other end hangs up', async () => {
    using epoll = openEpoll(libc);
    const { readFd, writeFd } = openFifo('one');
    const chunk = Buffer.alloc(2);
    const heard: string[] = [];
    epoll.watch(readFd, () => {
      const length = readSync(readFd, chunk);
      heard.push(chunk.toString('latin1', 0, length));
      if (length === 0) epoll.unwatch(readFd);
    });
    writeSync(writeFd, 'abcde');
    await until(() => expect(heard).toEqual(['ab', 'cd', 'e']));
    closeSync(writeFd);
    await until(() => expect(heard.at(-1)).toBe(''));
    closeSync(readFd);
  });

  it('calls nobody back who was unwatched by another in the same turn', async () => {
    using epoll = openEpoll(libc);
    const fifos = [openFifo('two'), openFifo('three')];
    const called: number[] = [];
    fifos.forEach(({ readFd }, index) =>
      epoll.watch(readFd, () => {
        called.push(index);
        for (const each of fifos) epoll.unwatch(each.readFd);
      }),
    );
    for (const { writeFd } of fifos) writeSync(writeFd, 'x');
    await until(() => expect(called).toHaveLength(1));
    const other = openFifo('four');
    const later = new Promise<void>((resolve) =>
      epoll.watch(other.readFd, () => {
        epoll.unwatch(other.readFd);
        resolve();
      }),
    );
    writeSync(other.writeFd, 'x');
    await later;
    expect(called).toHaveLength(1);
    for (const { readFd, writeFd } of [...fifos, other]) {
      closeSync(readFd);
      closeSync(writeFd);
    }
  });

  it('serves more descriptors than one turn has room for', async () => {
    using epoll = openEpoll(libc);
    const fifos = Array.from({ length: 150 }, (_, index) => openFifo(`many-${index}`));
    const heard = new Set<number>();
    for (const { readFd, writeFd } of fifos) {
      epoll.watch(readFd, () => {
        heard.add(readFd);
        readSync(readFd, Buffer.alloc(1));
      });
      writeSync(writeFd, 'x');
    }
    await until(() => expect(heard.size).toBe(150));
    for (const { readFd, writeFd } of fifos) {
      epoll.unwatch(readFd);
      closeSync(readFd);
      closeSync(writeFd);
    }
  });

  it.each([
    ['was disposed', 'epoll[Symbol.dispose]();', 0],
    ['was forgotten and process.exit is called', 'process.exit(7);', 7],
    ['was forgotten and an error is thrown', 'throw new Error("bug");', 1],
    ['was forgotten and something happens at the very end', 'process.on("exit", () => writeSync(writeFd, "x")); process.exit(7);', 7],
  ])('lets the process end in good order when it %s', (_when, ending, code) => {
    const program = `
      import { openSync, writeSync } from 'node:fs';
      import { openEpoll } from '${new URL('../../src/kernel/epoll.ts', import.meta.url).href}';
      import { openLibc } from '${new URL('../../src/kernel/libc.ts', import.meta.url).href}';
      import { fifoMaker } from '${new URL('../../src/kernel/fifo.ts', import.meta.url).href}';
      const libc = openLibc();
      const path = '${join(scratch, `ending-${code}-${ending.length}`)}';
      fifoMaker(libc)(path, 0o600);
      const writeFd = openSync(path, 'r+');
      const epoll = openEpoll(libc);
      epoll.watch(writeFd, () => {});
      ${ending}`;
    const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore', timeout: 20_000 });
    expect([status, signal]).toEqual([code, null]);
  });
});

describe('spawn and pidfd', () => {
  const spawn = openSpawn(libc);
  const pidfds = openPidfds(libc);
  const devNull = openSync('/dev/null', 'r+');
  afterAll(() => closeSync(devNull));

  const start = (request: Partial<SpawnRequest>): Promise<SpawnResult> =>
    new Promise((resolve) =>
      spawn.start({ file: '/bin/sh', argv: ['sh'], environment: [], directory: '/', stdio: [devNull, devNull, devNull], ...request }, resolve),
    );

  async function ending(pid: number, signal: number | null = null): Promise<Ending | 'running' | 'stranger'> {
    using epoll = openEpoll(libc);
    const pidfd = pidfds.open(pid);
    if (pidfd === null) throw new Error(`there is no process ${pid}`);
    if (signal !== null) expect(pidfds.signal(pidfd, signal)).toBeNull();
    await new Promise<void>((resolve) =>
      epoll.watch(pidfd, () => {
        epoll.unwatch(pidfd);
        resolve();
      }),
    );
    const end = pidfds.reap(pidfd);
    expect(pidfds.reap(pidfd)).toBe('stranger');
    expect(pidfds.signal(pidfd, 0)).toBe('ESRCH');
    closeSync(pidfd);
    return end;
  }

  it('say ENOMEM when there is no memory for another process, and go on when there is', () => {
    const program = new URL('../fixtures/programs/spawns-without-memory.ts', import.meta.url).pathname;
    expect(JSON.parse(spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 20_000 }).stdout)).toEqual([{ ok: false, errno: 'ENOMEM' }, true]);
  });

  it.each([
    [['sh', '-c', 'exit 0'], null, { kind: 'exited', code: 0 }],
    [['sh', '-c', 'exit 255'], null, { kind: 'exited', code: 255 }],
    [['sh', '-c', 'kill -TERM $$'], null, { kind: 'killed', signal: 15 }],
    [['sh', '-c', 'exec sleep 1000'], 9, { kind: 'killed', signal: 9 }],
  ])('tells how %j ended, signalled %j', async (argv, signal, expected) => {
    const result = await start({ argv });
    if (!result.ok) throw new Error(result.errno);
    expect(await ending(result.pid, signal)).toEqual(expected);
  });

  it.each([
    [{ file: '/nope' }, 'ENOENT'],
    [{ file: '/etc/passwd' }, 'EACCES'],
    [{ directory: '/nope' }, 'ENOENT'],
    [{ directory: '/etc/passwd' }, 'ENOTDIR'],
    [{ argv: ['sh', 'a\0b'] }, 'EINVAL'],
    [{ environment: ['A=b\0c'] }, 'EINVAL'],
    [{ environment: [`A=${'x'.repeat(3_000_000)}`] }, 'E2BIG'],
  ])('refuses %o with %s', async (request, errno) => {
    expect(await start(request)).toEqual({ ok: false, errno });
  });

  it('says of a process that is not there that it is not there', () => {
    expect(pidfds.open(2 ** 22 + 1)).toBeNull();
  });

  it('says of a child that runs that it runs', async () => {
    const result = await start({ file: '/bin/sleep', argv: ['sleep', '1000'] });
    if (!result.ok) throw new Error(result.errno);
    const pidfd = pidfds.open(result.pid);
    if (pidfd === null) throw new Error('it is gone');
    expect(pidfds.reap(pidfd)).toBe('running');
    closeSync(pidfd);
    expect(await ending(result.pid, 9)).toEqual({ kind: 'killed', signal: 9 });
  });

  it('takes arguments and variables as they are', async () => {
    const path = join(scratch, 'said');
    const out = openSync(path, 'w');
    const argv = ['sh', '-c', 'printf "%s|" "$@" "$A" "$PWD"', 'sh', '', 'two words', '"\'$x\n', 'ü日'];
    const result = await start({ argv, environment: ['A=b=c ü'], directory: scratch, stdio: [devNull, out, devNull] });
    if (!result.ok) throw new Error(result.errno);
    expect(await ending(result.pid)).toEqual({ kind: 'exited', code: 0 });
    expect(readFileSync(path, 'utf8')).toBe(`|two words|"'$x\n|ü日|b=c ü|${scratch}|`);
    closeSync(out);
  });
});
