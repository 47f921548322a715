import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { descriptorOf } from '../../src/control/actor.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openPeerOf, peerNamer } from '../../src/kernel/peer.ts';
import { unixAddress } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';

const libc = openLibc();
const peerOf = openPeerOf(libc);
const ME = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-peer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'socket');
}

it('tells process, user and group of who connects', async () => {
  const path = socketPath();
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = connect(path);
  onTestFinished(() => void client.destroy());
  const [socket] = (await once(server, 'connection')) as [Socket];
  expect(peerOf(descriptorOf(socket) ?? -1)).toEqual(ME);
  socket.destroy();
  await once(socket, 'close');
  expect(descriptorOf(socket)).toBeNull();
});

it('tells who connects, and not who made the socket, where somebody else has opened it', async () => {
  const path = socketPath();
  const sockets = openStreamSockets(libc);
  const fd = sockets.open('unix');
  expect([sockets.bind(fd, unixAddress(path) ?? Buffer.alloc(0)), sockets.listen(fd, 16)]).toEqual([null, null]);
  const program = new URL('../fixtures/programs/tells-its-peers.ts', import.meta.url).pathname;
  const server = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit', fd] });
  onTestFinished(() => void server.kill('SIGKILL'));
  closeSync(fd);
  const lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('listens');
  const client = spawn(process.execPath, ['-e', `require('node:net').connect(${JSON.stringify(path)}).resume()`], { stdio: 'ignore' });
  await once(client, 'exit');
  expect(JSON.parse(String((await lines.next()).value))).toEqual({ ...ME, pid: client.pid });
});

it('tells nobody of what is no such connection', () => {
  const file = openSync('/dev/null', 'r');
  const lonely = openStreamSockets(libc).open('unix');
  expect([peerOf(file), peerOf(lonely), peerOf(-1)]).toEqual([null, null, null]);
  closeSync(file);
  closeSync(lonely);
});

it.each([
  [{ pid: 7, uid: 0, gid: 0 }, 'root[7]'],
  [{ pid: 7, uid: 4_000_000_000, gid: 0 }, 'uid 4000000000[7]'],
  // Somebody is called 1000, and has another number.
  [{ pid: 7, uid: 1000, gid: 0 }, 'uid 1000[7]'],
  [null, null],
])('names %j as %s', (peer, name) => {
  const users = new Map([['0', { uid: 0, name: 'root' }], ['1000', { uid: 2, name: '1000' }]]);
  const user = (number: string): { uid: number; gid: number; name: string; home: string; shell: string } | null => {
    const found = users.get(number);
    return found === undefined ? null : { ...found, gid: 0, home: '/', shell: '/bin/sh' };
  };
  expect(peerNamer(() => peer, { user })(3)).toBe(name);
});
