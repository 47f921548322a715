import { execFile } from 'node:child_process';
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Listen } from '../../src/core/address.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { openSockets } from '../../src/sockets/open-sockets.ts';
import { answers, grant } from '../../src/sockets/unix-file.ts';
import { NOBODY } from '../e2e/nobody.ts';
import { SELF, SHOP } from '../contracts/sockets.ts';
import { listenOf } from '../fakes/sockets.ts';
import { until } from '../until.ts';
import { RealStage } from './stage.ts';

const asRoot = process.getuid?.() === 0;

interface Place extends AsyncDisposable {
  readonly stage: RealStage;
  readonly path: string;
  readonly listen: Listen;
  names(): string[];
  lend(generation: number, changes?: Partial<Listen>): void;
}

function openPlace(): Place {
  const stage = new RealStage('unix');
  const path = join(stage.folder, 'x.sock');
  const listen = listenOf({ kind: 'unix', path });
  return {
    stage,
    path,
    listen,
    names: () => readdirSync(stage.folder).sort(),
    lend: (generation, changes = {}) => void stage.sockets.lend(SHOP, 'shop', generation, [{ ...listen, ...changes }], SELF),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

/** A socket file that a program left which was killed. */
async function leaveStale(path: string): Promise<void> {
  await promisify(execFile)('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]);
}

describe('the files of a unix socket', () => {
  it.each([[null, 0o660], [0o600, 0o600], [0o666, 0o666], [0o777, 0o777]])('have the mode that was asked for, %o, whatever the umask is', async (mode, expected) => {
    await using place = openPlace();
    for (const umask of [0o077, 0]) {
      const before = process.umask(umask);
      place.lend(1, { mode });
      process.umask(before);
      expect(statSync(place.path).mode & 0o777).toBe(expected);
      place.stage.sockets.retire(SHOP, 1);
      place.stage.sockets.release(SHOP, []);
      expect(place.names()).toEqual([]);
    }
  });

  it.runIf(asRoot).each([[{}, 0, 0], [{ user: 'nobody' }, NOBODY, 0], [{ group: String(NOBODY) }, 0, NOBODY], [{ user: String(NOBODY), group: 'nogroup' }, NOBODY, NOBODY]])(
    'belong to whom %j says', async (changes, uid, gid) => {
      await using place = openPlace();
      place.lend(1, changes);
      expect(statSync(place.path)).toMatchObject({ uid, gid });
    },
  );

  it('are what the newest file says when the same socket is lent again', async () => {
    await using place = openPlace();
    place.lend(1);
    place.stage.sockets.retire(SHOP, 1);
    place.lend(2, { mode: 0o600 });
    expect(statSync(place.path).mode & 0o777).toBe(0o600);
  });

  it('are two, of which one is a socket of that generation under the name that people know', async () => {
    await using place = openPlace();
    place.lend(1);
    const first = statSync(place.path).ino;
    expect(place.names()).toEqual(['.x.sock.0', 'x.sock']);
    place.lend(2);
    expect(statSync(place.path).ino).toBe(first);
    expect(place.names()).toEqual(['.x.sock.0', '.x.sock.1', 'x.sock']);
    place.stage.sockets.steer(SHOP, 2, 1);
    expect(statSync(place.path).ino).toBe(statSync(join(place.stage.folder, '.x.sock.1')).ino);
    place.stage.sockets.retire(SHOP, 1);
    expect(place.names()).toEqual(['.x.sock.1', 'x.sock']);
  });

  it('take the place of what an emperor left that was killed', async () => {
    await using place = openPlace();
    for (const name of ['x.sock', '.x.sock.0', '.x.sock.7']) await leaveStale(join(place.stage.folder, name));
    place.lend(1);
    expect(place.names()).toEqual(['.x.sock.0', 'x.sock']);
    await place.stage.visit(place.listen.address);
    await until(() => expect(place.stage.sockets.queued(SHOP, 1)).toBe(1));
  });

  it('leave alone what an instance of an earlier emperor listens on, and other files', async () => {
    await using place = openPlace();
    const earlier = openSockets(openLibc());
    earlier.lend(SHOP, 'shop', 1, [place.listen], SELF);
    rmSync(place.path);
    writeFileSync(join(place.stage.folder, '.x.sock.old'), '');
    writeFileSync(join(place.stage.folder, '.x.sock.3'), '');
    place.lend(1);
    expect(place.names()).toEqual(['.x.sock.0', '.x.sock.1', '.x.sock.3', '.x.sock.old', 'x.sock']);
    earlier[Symbol.dispose]();
    place.stage.sockets.release(SHOP, []);
    expect(place.names()).toEqual(['.x.sock.0', '.x.sock.3', '.x.sock.old']);
  });

  it('stay when the emperor leaves, and go when the address is given up', async () => {
    await using place = openPlace();
    const other = openSockets(openLibc());
    const aside = listenOf({ kind: 'unix', path: join(place.stage.folder, 'y.sock') });
    other.hold(SHOP, 'shop', [aside], SELF);
    other[Symbol.dispose]();
    expect(place.names()).toEqual(['.y.sock.0', 'y.sock']);
    place.stage.sockets.hold(SHOP, 'shop', [aside], SELF);
    place.stage.sockets.release(SHOP, []);
    expect(place.names()).toEqual([]);
  });

  it('are removed only if they are still ours', async () => {
    await using place = openPlace();
    place.lend(1);
    const stranger = join(place.stage.folder, 'stranger');
    writeFileSync(stranger, 'not ours');
    renameSync(stranger, place.path);
    rmSync(join(place.stage.folder, '.x.sock.0'));
    symlinkSync(place.path, join(place.stage.folder, '.x.sock.0'));
    place.stage.sockets.release(SHOP, []);
    expect(place.names()).toEqual(['.x.sock.0', 'x.sock']);
    expect(lstatSync(place.path).isFile()).toBe(true);
  });

  it('come back when somebody has removed them, with the next generation that is started or steered to', async () => {
    await using place = openPlace();
    place.lend(1);
    rmSync(place.path);
    place.lend(2);
    expect(place.names()).toContain('x.sock');
    rmSync(place.path);
    place.stage.sockets.steer(SHOP, 2, 1);
    place.stage.sockets.retire(SHOP, 1);
    place.stage.sockets.retire(SHOP, 2);
    for (const name of place.names()) rmSync(join(place.stage.folder, name));
    place.lend(3);
    await place.stage.visit(place.listen.address);
    await until(() => expect(place.stage.sockets.queued(SHOP, 3)).toBe(1));
  });

  it('cannot be turned where the folder has gone, and that is said', async () => {
    await using place = openPlace();
    place.lend(1);
    place.lend(2);
    for (const name of place.names()) rmSync(join(place.stage.folder, name));
    expect(() => place.stage.sockets.steer(SHOP, 2, 1)).toThrow(expect.objectContaining({ code: 'E_ADDRESS' }));
  });
});

describe('giving a socket to its owner', () => {
  it('changes nothing but a socket: a link to a file is not followed, nor a file that took its place', async () => {
    await using place = openPlace();
    const secret = join(place.stage.folder, 'secret');
    writeFileSync(secret, '');
    chmodSync(secret, 0o600);
    symlinkSync(secret, join(place.stage.folder, 'link'));
    linkSync(secret, join(place.stage.folder, 'other'));
    for (const name of ['link', 'other']) expect(() => grant(join(place.stage.folder, name), { ...SELF, mode: 0o666 })).toThrow('took the place');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
  });
});

describe('whether somebody listens', () => {
  it('is told of sockets, stale ones, and of what is gone', async () => {
    await using place = openPlace();
    const sockets = openStreamSockets(openLibc());
    place.lend(1);
    await leaveStale(join(place.stage.folder, 'stale'));
    expect(answers(sockets, place.path)).toBe(true);
    expect(answers(sockets, join(place.stage.folder, 'stale'))).toBe(false);
    expect(answers(sockets, join(place.stage.folder, 'gone'))).toBe(false);
  });
});
