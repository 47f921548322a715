import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claim } from '../../src/control/socket.ts';
import { ask, host, temporaryFolder } from './host.ts';

describe('the control socket', () => {
  it('is open to its owner and its group only, whatever the umask', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const { path } = await host();
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    expect(process.umask()).toBe(0);
  });

  it('is made together with its folder, and gone when it is closed', async () => {
    const path = join(temporaryFolder(), 'run', 'emperor', 'control.sock');
    const { close } = await host({ path });
    expect(statSync(path).isSocket()).toBe(true);
    await close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('takes the place of one that a killed emperor left behind', async () => {
    const path = join(temporaryFolder(), 'control.sock');
    const dead = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(dead.stdout, 'data');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    await host({ path });
    expect((await ask(path, 'GET', '/v1/emperor')).status).toBe(200);
  });

  it('is not taken from another emperor, which goes on', async () => {
    const { path } = await host();
    await expect(host({ path })).rejects.toMatchObject({ code: 'E_EMPEROR_RUNS', message: expect.stringContaining('pid 4242, version 0.1.0, since 2020-09-13T12:26:40.000Z') });
    expect((await ask(path, 'GET', '/v1/emperor')).status).toBe(200);
  });

  it('is not taken from somebody who is no emperor', async () => {
    const path = join(temporaryFolder(), 'control.sock');
    const stranger = createServer((socket) => socket.on('error', () => {}).end('hello\n')).listen(path);
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    await expect(claim(path)).rejects.toMatchObject({ code: 'E_EMPEROR_RUNS' });
  });

  it.each([
    ['a file', (path: string) => writeFileSync(path, 'precious'), 'there is something else'],
    ['a folder', (path: string) => mkdirSync(path), 'there is something else'],
    ['a symlink to a file', (path: string) => (writeFileSync(`${path}~`, 'precious'), symlinkSync(`${path}~`, path)), 'there is something else'],
    ['a symlink that leads nowhere', (path: string) => symlinkSync(`${path}~`, path), 'there is something else'],
    ['a symlink to a socket', (path: string) => (spawnSync(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(`${path}~`)}, () => process.kill(process.pid, 'SIGKILL'))`]), symlinkSync(`${path}~`, path)), 'there is something else'],
  ])('is never put in the place of %s', async (_what, make, message) => {
    const path = join(temporaryFolder(), 'control.sock');
    make(path);
    const before = lstatSync(path).ino;
    await expect(host({ path })).rejects.toMatchObject({ code: 'E_SETTINGS', message: expect.stringContaining(message) });
    expect(lstatSync(path).ino).toBe(before);
  });

  it('has a path that the kernel takes, or says so', async () => {
    await expect(host({ path: join(temporaryFolder(), 'x'.repeat(108)) })).rejects.toMatchObject({ code: 'E_SETTINGS', message: expect.stringContaining('107 bytes') });
  });

  it('needs a folder that can be made, or says so', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(host({ path: join(folder, 'file', 'control.sock') })).rejects.toMatchObject({ code: 'E_SETTINGS' });
  });
});
