import { once } from 'node:events';
import { closeSync, fstatSync, lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSockDiag } from '../../src/kernel/sock-diag.ts';
import { openSocketAddresses, unixAddress } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { until } from '../until.ts';

const libc = openLibc();
const sockets = openStreamSockets(libc);
const addresses = openSocketAddresses(libc);
const diag = openSockDiag(libc);
const opened: number[] = [];

afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
});

function open(family: 'v4' | 'v6' | 'unix'): number {
  const fd = sockets.open(family);
  opened.push(fd);
  return fd;
}

function listening(host: string): { readonly fd: number; readonly port: number } {
  const fd = open(host.includes(':') ? 'v6' : 'v4');
  expect([sockets.bind(fd, addresses.ip(host, 0)), sockets.listen(fd, 10)]).toEqual([null, null]);
  return { fd, port: sockets.port(fd) };
}

function connected(host: string, port: number): number {
  const fd = open(host.includes(':') ? 'v6' : 'v4');
  expect([null, 'EINPROGRESS']).toContain(sockets.connect(fd, addresses.ip(host, port)));
  return fd;
}

describe('a stream socket', () => {
  it.each(['v4', 'v6', 'unix'] as const)('has a high number, is closed in children, and blocks (%s)', (family) => {
    const fd = open(family);
    expect(fd).toBeGreaterThanOrEqual(100);
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/^flags:\t02000002$/m);
  });

  it.each(['127.0.0.1', '::1'])('listens, and holds those who connect (%s)', async (host) => {
    const { fd, port } = listening(host);
    expect(sockets.waiting(fd)).toBe(0);
    for (let count = 1; count <= 3; count += 1) connected(host, port);
    await until(() => expect(sockets.waiting(fd)).toBe(3));
  });

  it('ends listening for all who have it', async () => {
    const { fd, port } = listening('127.0.0.1');
    expect(sockets.listens(fd)).toBe(true);
    sockets.stop(fd);
    expect(sockets.listens(fd)).toBe(false);
    await expect(once(connect({ host: '127.0.0.1', port }), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('tells by name why it cannot be bound', () => {
    const { port } = listening('127.0.0.1');
    expect(sockets.bind(open('v4'), addresses.ip('127.0.0.1', port))).toBe('EADDRINUSE');
    expect(sockets.bind(open('v4'), addresses.ip('192.0.2.1', port))).toBe('EADDRNOTAVAIL');
  });

  it('refuses a program that is none', () => {
    const { fd } = listening('127.0.0.1');
    expect(() => sockets.attach(fd, [[0x06, 0, 0, 0]])).toThrow(expect.objectContaining({ code: 'E_KERNEL', cause: 'EINVAL' }));
  });
});

describe('an address of a socket', () => {
  it('is laid out as the kernel reads it', () => {
    expect(addresses.ip('1.2.3.4', 0x1234).toString('hex')).toBe('02001234010203040000000000000000');
    expect(addresses.ip('::1', 80).toString('hex')).toBe(`0a000050${'00'.repeat(4)}${'00'.repeat(15)}01${'00'.repeat(4)}`);
    expect(unixAddress('/x')?.toString('hex')).toBe('01002f7800');
  });

  it.each([[107, true], [108, false]])('has a path of at most 107 bytes: %i', (length, fits) => {
    expect(unixAddress('x'.repeat(length)) !== null).toBe(fits);
  });

  it('is no name', () => {
    expect(() => addresses.ip('localhost', 80)).toThrow('no IP address');
  });
});

describe('the kernel, asked about sockets,', () => {
  it.each(['127.0.0.1', '::1'])('tells of those who listen and those who are connected, by port on either side (%s)', async (host) => {
    const { fd, port } = listening(host);
    const family = host.includes(':') ? 'v6' : 'v4';
    const client = connected(host, port);
    await until(() => expect(diag.tcp(family, ['established'], { local: port })).toHaveLength(1));
    expect(diag.tcp(family, ['listen'], { local: port })).toMatchObject([{ state: 'listen', localPort: port, inode: fstatSync(fd).ino }]);
    expect(diag.tcp(family, ['established'], { remote: port })).toMatchObject([{ remotePort: port, localPort: sockets.port(client), inode: fstatSync(client).ino }]);
    expect(diag.tcp(family, ['established'], { local: port })[0]?.local).toEqual(addresses.bytes(host));
    expect(diag.tcp(family, ['time-wait'], { local: port })).toEqual([]);
  });

  it('tells of more than fits into one answer', async () => {
    const { port } = listening('127.0.0.1');
    const fd = open('v4');
    expect(sockets.bind(fd, addresses.ip('127.0.0.2', 0))).toBe(null);
    sockets.listen(fd, 2_000);
    const many = sockets.port(fd);
    for (let count = 0; count < 1_500; count += 1) connected('127.0.0.2', many);
    await until(() => expect(diag.tcp('v4', ['established'], { local: many })).toHaveLength(1_500));
    expect(diag.tcp('v4', ['established'], { local: port })).toEqual([]);
  });

  it('tells of unix sockets by path, and how many wait', () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-kernel-'));
    const path = join(folder, 'x.sock');
    const place = unixAddress(path) ?? Buffer.alloc(0);
    const fd = open('unix');
    expect([sockets.bind(fd, place), sockets.listen(fd, 10)]).toEqual([null, null]);
    for (let count = 0; count < 3; count += 1) expect(sockets.connect(open('unix'), place)).toBe(null);
    expect(diag.unix(['listen']).filter((each) => each.path === path)).toEqual([{ state: 'listen', path, file: Number(BigInt.asUintN(32, lstatSync(path, { bigint: true }).ino)), inode: fstatSync(fd).ino }]);
    expect(diag.unixWaiting(fstatSync(fd).ino)).toBe(3);
    rmSync(folder, { recursive: true });
  });

  it('tells that there is no such unix socket', () => {
    expect(() => diag.unixWaiting(1)).toThrow(expect.objectContaining({ code: 'E_KERNEL', cause: 'ENOENT' }));
  });
});
