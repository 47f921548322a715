import { closeSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { openCopyHigh } from '../../src/kernel/high-descriptor.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketPairs } from '../../src/kernel/socket-pair.ts';
import { openTakeDescriptor } from '../../src/kernel/take-descriptor.ts';

const libc = openLibc();
const pairs = openSocketPairs(libc);
const name = (what: string): string => `emperor-test/${process.pid}/${what}`;

function open(what: string) {
  const pair = pairs.open(name(what));
  onTestFinished(() => [pair.ours, pair.theirs].forEach((fd) => closeSync(fd)));
  return pair;
}

it('carries bytes both ways; only our end never waits', () => {
  const { ours, theirs } = open('ways');
  writeSync(theirs, 'in');
  writeSync(ours, 'out');
  const bytes = Buffer.alloc(10);
  expect(bytes.toString('latin1', 0, readSync(ours, bytes))).toBe('in');
  expect(bytes.toString('latin1', 0, readSync(theirs, bytes))).toBe('out');
  expect(() => readSync(ours, bytes)).toThrow('EAGAIN');
  const flagsOf = (fd: number): number => Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
  expect([ours, theirs].map((fd) => flagsOf(fd) & 0o2004000)).toEqual([0o2004000, 0o2000000]);
  expect(Math.min(ours, theirs)).toBeGreaterThanOrEqual(100);
});

it('is known by the name of our end, in any copy of it', () => {
  const { ours, theirs } = open('name');
  const copies = [openCopyHigh(libc)(ours), openTakeDescriptor(libc)(process.pid, ours)];
  onTestFinished(() => copies.forEach((fd) => closeSync(fd)));
  expect([ours, ...copies].map((fd) => pairs.nameOf(fd))).toEqual([name('name'), name('name'), name('name')]);
  expect(pairs.nameOf(theirs)).toBeNull();
});

it('with a name that is taken works, and has none', () => {
  open('taken');
  const { ours, theirs } = open('taken');
  expect(pairs.nameOf(ours)).toBeNull();
  writeSync(theirs, 'x');
  expect(readSync(ours, Buffer.alloc(1))).toBe(1);
});

it('what is no named unix socket has no name', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  expect([fd, 0, 9_999].map((each) => pairs.nameOf(each))).toEqual([null, null, null]);
});

it('leaves nothing open', () => {
  const before = readdirSync('/proc/self/fd').length;
  const { ours, theirs } = pairs.open(name('closed'));
  closeSync(ours);
  closeSync(theirs);
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
});
