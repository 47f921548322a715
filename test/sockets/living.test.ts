import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketAddresses } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { openTakeDescriptor } from '../../src/kernel/take-descriptor.ts';
import { Estate } from '../../src/sockets/estate.ts';
import { takeFrom } from '../../src/sockets/living.ts';
import { NO_KEEPER } from '../../src/world/keeper.ts';

const libc = openLibc();
const sockets = openStreamSockets(libc);
const addresses = openSocketAddresses(libc);

it.each([
  ['itself', 'echo up; read line; :'],
  ['a process that it has started, where it has closed its own', '(exec sleep 1000) & exec 3<&-; echo up; wait'],
])('takes a socket back from %s, and it is the same socket', async (_whom, script) => {
  const fd = sockets.open('v4');
  sockets.bind(fd, addresses.ip('127.0.0.1', 0));
  sockets.listen(fd, 10);
  const inode = fstatSync(fd).ino;
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit', fd], detached: true });
  await once(child.stdout!, 'data');
  closeSync(fd);
  try {
    const [slot, ...more] = takeFrom(child.pid!, new Set([inode, 1]), openTakeDescriptor(libc), new Estate(NO_KEEPER));
    expect(more).toEqual([]);
    expect(slot?.inode).toBe(inode);
    expect(readlinkSync(`/proc/self/fd/${slot!.fd}`)).toBe(`socket:[${inode}]`);
    expect(slot!.fd).toBeGreaterThanOrEqual(100);
    closeSync(slot!.fd);
  } finally {
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
  }
});

it('takes nothing from a process that is not there, or has nothing of it', () => {
  const take = openTakeDescriptor(libc);
  expect(takeFrom(2 ** 22 + 1, new Set([1]), take, new Estate(NO_KEEPER))).toEqual([]);
  expect(takeFrom(process.pid, new Set([1]), take, new Estate(NO_KEEPER))).toEqual([]);
});
