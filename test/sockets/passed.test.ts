import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Address, Listen } from '../../src/core/address.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketAddresses } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { openSockets } from '../../src/sockets/open-sockets.ts';
import type { Keeper } from '../../src/world/keeper.ts';
import { SELF, SHOP } from '../contracts/sockets.ts';
import { until } from '../until.ts';
import { KINDS, RealStage, wayTo } from './stage.ts';

const libc = openLibc();
const raw = openStreamSockets(libc);
const addresses = openSocketAddresses(libc);
const duplicate = libc.bind<(fd: number) => number>('int dup(int fd)');

/** A keeper as systemd is: it has copies, and outlives who gave them. */
class Store implements Keeper {
  readonly kept: Map<string, number> = new Map();

  keep(name: string, fd: number): void {
    if (!this.kept.has(name)) this.kept.set(name, duplicate(fd));
  }

  drop(name: string): void {
    const fd = this.kept.get(name);
    if (fd !== undefined) closeSync(fd);
    this.kept.delete(name);
  }

  /** What the next emperor is passed. */
  pass(): readonly number[] {
    return [...this.kept.values()].map((fd) => duplicate(fd));
  }
}

function ask(address: Address): Promise<'waits' | 'refused'> {
  return new Promise((resolve) => {
    const client = connect(wayTo(address));
    client.on('error', () => resolve('refused'));
    client.on('connect', () => {
      client.destroy();
      resolve('waits');
    });
  });
}

describe.each(KINDS)('sockets that are kept (%s)', (kind) => {
  it('of which nobody lives are held again, with who waits in them', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const store = new Store();
    const first = openSockets(libc, undefined, store);
    first.hold(SHOP, 'shop', [http], SELF);
    await stage.visit(http.address);
    first[Symbol.dispose]();
    const next = openSockets(libc, { handed: [], kept: store.pass(), lasting: [] }, store);
    next.lend(SHOP, 'shop', 1, [http], SELF);
    await until(() => expect(next.queued(SHOP, 1)).toBe(1));
    expect(store.kept.size).toBe(1);
    next.release(SHOP, []);
    expect(store.kept.size).toBe(0);
    expect(await ask(http.address)).toBe('refused');
    next[Symbol.dispose]();
  });

  it('are those that instances have: the one that serves stays, and all others are ended', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const store = new Store();
    const first = openSockets(libc, undefined, store);
    const [old] = first.lend(SHOP, 'shop', 1, [http], SELF);
    const child = spawn('/bin/sleep', ['1000'], { stdio: ['ignore', 'ignore', 'inherit', old!.fd] });
    first.lend(SHOP, 'shop', 2, [http], SELF);
    first[Symbol.dispose]();
    expect(store.kept.size).toBe(2);
    const next = openSockets(libc, { handed: [], kept: store.pass(), lasting: [] }, store);
    try {
      expect(next.takeBack(SHOP, 'shop', [http], SELF, [{ generation: 1, pid: child.pid! }])).toEqual([]);
      expect(store.kept.size).toBe(1);
      // Deploys go on, to what the child does not have.
      next.lend(SHOP, 'shop', 3, [http], SELF);
      next.steer(SHOP, 3, 1);
      await stage.visit(http.address);
      await until(() => expect([next.queued(SHOP, 1), next.queued(SHOP, 3)]).toEqual([0, 1]));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      next[Symbol.dispose]();
    }
  });

  it('that nobody asks for are dropped, and those of vassals that have not opened them yet are not', async () => {
    await using stage = new RealStage(kind);
    const [wanted, unwanted] = [await stage.free(), await stage.free()];
    const store = new Store();
    const first = openSockets(libc, undefined, store);
    first.hold(SHOP, 'shop', [wanted, unwanted], SELF);
    first[Symbol.dispose]();
    const next = openSockets(libc, { handed: [], kept: store.pass(), lasting: [] }, store);
    next.disinherit([wanted.address]);
    expect(store.kept.size).toBe(1);
    next.hold(SHOP, 'shop', [wanted], SELF);
    next[Symbol.dispose]();
  });
});

describe('the socket of a socket unit', () => {
  /** Listens as systemd does for a socket unit. */
  function unit({ address }: Listen, shared: boolean): number {
    if (address.kind === 'unix') throw new Error('only TCP');
    const fd = raw.open('v4');
    raw.set(fd, 'reuse-address', true);
    if (shared) raw.set(fd, 'reuse-port', true);
    expect(raw.bind(fd, addresses.ip(address.host, address.port))).toBeNull();
    expect(raw.listen(fd, 10)).toBeNull();
    return fd;
  }

  it('is lent first, survives swaps, and is where connections wait when the vassal is gone', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    const listening = unit(http, true);
    const sockets = openSockets(libc, { handed: [], kept: [], lasting: [duplicate(listening)] });
    const [first] = sockets.lend(SHOP, 'shop', 1, [http], SELF);
    expect(fstatSync(first!.fd).ino).toBe(fstatSync(listening).ino);
    sockets.lend(SHOP, 'shop', 2, [http], SELF);
    sockets.steer(SHOP, 2, 1);
    sockets.retire(SHOP, 1);
    await stage.visit(http.address);
    await until(() => expect(sockets.queued(SHOP, 2)).toBe(1));
    expect(sockets.handOverLasting((fd) => duplicate(fd)).map((fd) => fstatSync(fd).ino)).toEqual([fstatSync(listening).ino]);
    sockets.release(SHOP, []);
    expect(await ask(http.address)).toBe('waits');
    expect(raw.listens(listening)).toBe(true);
    // The file is back: its vassal has it again.
    const [again] = sockets.lend(SHOP, 'shop', 3, [http], SELF);
    expect(fstatSync(again!.fd).ino).toBe(fstatSync(listening).ino);
    sockets[Symbol.dispose]();
    raw.stop(listening);
  });

  it('has to let others listen beside it', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    const listening = unit(http, false);
    const open = readdirSync('/proc/self/fd').length;
    const sockets = openSockets(libc, { handed: [], kept: [], lasting: [duplicate(listening)] });
    expect(() => sockets.lend(SHOP, 'shop', 1, [http], SELF)).toThrow(/a socket unit of systemd listens there alone; say ReusePort=yes in it/);
    sockets[Symbol.dispose]();
    await until(() => expect(readdirSync('/proc/self/fd')).toHaveLength(open));
    raw.stop(listening);
  });
});
