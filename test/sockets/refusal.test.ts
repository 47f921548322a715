import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Address, Listen } from '../../src/core/address.ts';
import { EmperorError } from '../../src/errors.ts';
import { NOBODY } from '../e2e/nobody.ts';
import { BLOG, SELF, SHOP } from '../contracts/sockets.ts';
import { listenOf } from '../fakes/sockets.ts';
import { until } from '../until.ts';
import { freePort, KINDS, RealStage } from './stage.ts';

const tcp = (host: string, port: number, v6only: boolean = false): Listen => listenOf({ kind: 'tcp', host, port, v6only });
const unix = (path: string): Listen => listenOf({ kind: 'unix', path });

function refused(stage: RealStage, listen: Listen): EmperorError {
  const before = readdirSync('/proc/self/fd').length;
  try {
    stage.sockets.hold(SHOP, 'shop', [listen], SELF);
  } catch (error) {
    if (!(error instanceof EmperorError)) throw error;
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    return error;
  }
  throw new Error('it was opened');
}

/** Does it without the rights of root. */
function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('an address that somebody else has', () => {
  it.each([['127.0.0.1', '127.0.0.1'], ['0.0.0.0', '127.0.0.1'], ['127.0.0.1', '::'], ['::', '0.0.0.0'], ['::1', '::1']])(
    'is refused, with the name of the program, even if it would share: it has %s, we want %s',
    async (theirs, wanted) => {
      await using stage = new RealStage();
      const port = await freePort();
      const server = createServer().listen({ host: theirs, port, reusePort: true });
      await once(server, 'listening');
      const error = refused(stage, tcp(wanted, port));
      const comm = readFileSync('/proc/self/comm', 'utf8').trim();
      expect(error.code).toBe('E_ADDRESS_IN_USE');
      expect(error.message).toContain(`for vassal "shop": ${comm} (pid ${process.pid}) has it; end that program, or choose another address`);
      server.close();
      await once(server, 'close');
      stage.sockets.hold(SHOP, 'shop', [tcp(wanted, port)], SELF);
    },
  );

  it.each([['0.0.0.0', '127.0.0.1'], ['::', '0.0.0.0'], ['127.0.0.1', '0.0.0.0']])('is refused to another vassal whose address only overlaps: %s and %s', async (theirs, wanted) => {
    await using stage = new RealStage();
    const port = await freePort();
    stage.sockets.hold(BLOG, 'blog', [tcp(theirs, port)], SELF);
    expect(refused(stage, tcp(wanted, port)).message).toContain('vassal "blog" has it; give one of them another address');
  });

  it('is refused to the vassal that has it in another entry', async () => {
    await using stage = new RealStage();
    const port = await freePort();
    expect(() => stage.sockets.hold(SHOP, 'shop', [tcp('0.0.0.0', port), tcp('127.0.0.1', port)], SELF)).toThrow('vassal "shop" has it; name each address once');
  });

  it('is free where it does not overlap: IPv4 and IPv6 alone, and different addresses', async () => {
    await using stage = new RealStage();
    const port = await freePort();
    stage.sockets.hold(SHOP, 'shop', [tcp('0.0.0.0', port), tcp('::', port, true)], SELF);
    const other = await freePort();
    stage.sockets.hold(BLOG, 'blog', [tcp('127.0.0.1', other), tcp('127.0.0.2', other), tcp('::1', other)], SELF);
  });

  it('is refused if it is a unix socket with a server, and is not disturbed', async () => {
    await using stage = new RealStage('unix');
    const path = join(stage.folder, 'taken.sock');
    const visits: unknown[] = [];
    const server = createServer((visit) => visits.push(visit.destroy())).listen(path);
    await once(server, 'listening');
    const error = refused(stage, unix(path));
    expect(error).toMatchObject({ code: 'E_ADDRESS_IN_USE', message: expect.stringContaining(`(pid ${process.pid}) has it`) });
    await stage.visit({ kind: 'unix', path });
    await until(() => expect(visits.length).toBeGreaterThan(0));
    server.close();
  });

  it('knocks at no vassal that has the unix socket that another one wants, by whatever name of the folder', async () => {
    await using stage = new RealStage('unix');
    mkdirSync(join(stage.folder, 'run'));
    const knocks: string[] = [];
    stage.sockets.hold(BLOG, 'blog', [unix(join(stage.folder, 'run/x.sock'))], SELF);
    stage.sockets.awaitKnock(BLOG, () => knocks.push('blog'));
    expect(refused(stage, unix(`${stage.folder}/run/x.sock`)).message).toContain('vassal "blog" has it');
    expect(refused(stage, unix(`${stage.folder}/./run/../run/x.sock`)).message).toContain('vassal "blog" has it');
    await stage.visit({ kind: 'unix', path: join(stage.folder, 'run/x.sock') });
    await until(() => expect(knocks).toEqual(['blog']));
    stage.sockets.lend(BLOG, 'blog', 1, [unix(join(stage.folder, 'run/x.sock'))], SELF);
    expect(stage.sockets.queued(BLOG, 1)).toBe(1);
  });

  it('is taken at once again after a server with open connections has gone', async () => {
    await using stage = new RealStage();
    const port = await freePort();
    const program = `require('net').createServer((s) => { s.on('error', () => {}); s.end('bye'); }).listen(${port}, '127.0.0.1', () => console.log('up'))`;
    const server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    for (let count = 0; count < 5; count += 1) await stage.visit(tcp('127.0.0.1', port).address);
    server.kill('SIGKILL');
    await once(server, 'exit');
    stage.sockets.hold(SHOP, 'shop', [tcp('127.0.0.1', port)], SELF);
  });
});

describe('an address that cannot be opened', () => {
  it('says that the host has no such address', async () => {
    await using stage = new RealStage();
    expect(refused(stage, tcp('192.0.2.1', 8080))).toMatchObject({
      code: 'E_ADDRESS',
      message: 'cannot listen on 192.0.2.1:8080 for vassal "shop": this host has no such address; see "ip address"',
    });
  });

  it.skipIf(Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1')) < 1024)('says that a low port is for root', async () => {
    await using stage = new RealStage();
    expect(asNobody(() => refused(stage, tcp('127.0.0.1', 1023)))).toMatchObject({ code: 'E_ADDRESS', message: expect.stringContaining('CAP_NET_BIND_SERVICE') });
  });

  it.each<[string, (folder: string) => string, RegExp]>([
    ['in a folder that does not exist', (folder) => `${folder}/nowhere/x.sock`, /its folder does not exist; make it/],
    ['in a file', (folder) => `${folder}/file/x.sock`, /what should be its folder is none/],
    ['that is a file', (folder) => `${folder}/file`, /something else is there, and is not removed/],
    ['that is a folder', (folder) => `${folder}/sub`, /something else is there, and is not removed/],
    ['that is too long', (folder) => `${folder}/${'x'.repeat(104 - folder.length)}`, /its path is too long/],
  ])('says so of a path %s', async (_what, path, message) => {
    await using stage = new RealStage('unix');
    writeFileSync(join(stage.folder, 'file'), 'keep me');
    mkdirSync(join(stage.folder, 'sub'));
    expect(refused(stage, unix(path(stage.folder)))).toMatchObject({ code: 'E_ADDRESS', message: expect.stringMatching(message) });
    expect(readFileSync(join(stage.folder, 'file'), 'utf8')).toBe('keep me');
    expect(readdirSync(stage.folder).sort()).toEqual(['file', 'sub']);
  });

  it('may have the longest path that there is room for', async () => {
    await using stage = new RealStage('unix');
    const address: Address = { kind: 'unix', path: `${stage.folder}/${'x'.repeat(103 - stage.folder.length)}` };
    stage.sockets.hold(SHOP, 'shop', [listenOf(address)], SELF);
    await stage.visit(address);
  });

  it('says that the emperor may not write to the folder', async () => {
    await using stage = new RealStage('unix');
    mkdirSync(join(stage.folder, 'closed'), { mode: 0o555 });
    chmodSync(stage.folder, 0o755);
    expect(asNobody(() => refused(stage, unix(join(stage.folder, 'closed/x.sock'))))).toMatchObject({ code: 'E_ADDRESS', message: expect.stringContaining('EACCES') });
  });

  it.each(['user', 'group'] as const)('says that the %s of a socket does not exist', async (key) => {
    await using stage = new RealStage('unix');
    const listen = { ...unix(join(stage.folder, 'x.sock')), [key]: 'no-such-one' };
    expect(refused(stage, listen)).toMatchObject({ code: 'E_USER', message: expect.stringContaining('"no-such-one"') });
    expect(readdirSync(stage.folder)).toEqual([]);
  });
});

describe('without privileges', () => {
  it.each(KINDS)('two generations have their sockets, and the connections are turned (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const folder = join(stage.folder, 'own');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    chmodSync(stage.folder, 0o755);
    const { address } = await stage.free();
    const http = listenOf(address.kind === 'unix' ? { kind: 'unix', path: join(folder, 'x.sock') } : address);
    const owner = asNobody(() => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }));
    asNobody(() => {
      stage.sockets.lend(SHOP, 'shop', 1, [http], owner);
      stage.sockets.lend(SHOP, 'shop', 2, [http], owner);
    });
    using door = asNobody(() => stage.sockets.door(SHOP, 2, http.address));
    await stage.visit(http.address, door);
    await stage.visit(http.address);
    await until(() => expect([stage.sockets.queued(SHOP, 1), stage.sockets.queued(SHOP, 2)]).toEqual([1, 1]));
    asNobody(() => stage.sockets.steer(SHOP, 2, 1));
    await stage.visit(http.address);
    await until(() => expect([stage.sockets.queued(SHOP, 1), stage.sockets.queued(SHOP, 2)]).toEqual([1, 2]));
  });
});
