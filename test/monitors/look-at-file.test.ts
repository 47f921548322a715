import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openLeases } from '../../src/kernel/lease.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { lookAtFile, type FileLook } from '../../src/monitors/look-at-file.ts';
import { tempFolder } from './stage.ts';

const leases = openLeases(openLibc());

function codeOf(look: FileLook): string {
  if (look.kind !== 'seen') return look.kind;
  return look.file.content.ok ? 'ok' : look.file.content.fault.code;
}

/** Root reads everything: its rights are laid down for the moment. */
function withoutRights<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65_534);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a look at one file', () => {
  it('reads it, with its name, hash and stamp', () => {
    using temp = tempFolder();
    const path = temp.file('shop.toml', 'text');
    expect(lookAtFile(path, leases)).toMatchObject({
      kind: 'seen',
      signposts: [],
      file: { id: path, name: 'shop', hash: '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1', content: { ok: true, text: 'text' } },
      state: { kind: 'content', unwritten: true, handed: true, empty: false },
    });
  });

  it.each<[string, (path: string) => void, string]>([
    ['nothing', () => undefined, 'absent'],
    ['a folder', (path) => mkdirSync(path), 'absent'],
    ['a symlink to a folder', (path) => symlinkSync('/tmp', path), 'absent'],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path]), 'E_FILE_KIND'],
    ['a symlink to a device', (path) => symlinkSync('/dev/zero', path), 'E_FILE_KIND'],
    ['a symlink to nothing', (path) => symlinkSync('nothing', path), 'E_FILE_LINK'],
    ['a symlink behind a file', (path) => symlinkSync('/etc/passwd/x', path), 'E_FILE_LINK'],
    ['a symlink to itself', (path) => symlinkSync(path, path), 'E_FILE_LINK'],
    ['1 MiB', (path) => writeFileSync(path, 'x'.repeat(1024 * 1024)), 'ok'],
    ['a byte more than 1 MiB', (path) => writeFileSync(path, 'x'.repeat(1024 * 1024 + 1)), 'E_FILE_TOO_LARGE'],
    ['a terabyte', (path) => { writeFileSync(path, ''); truncateSync(path, 2 ** 40); }, 'E_FILE_TOO_LARGE'],
    ['a NUL byte', (path) => writeFileSync(path, 'a\0b'), 'E_FILE_BINARY'],
    ['Latin-1', (path) => writeFileSync(path, Buffer.from([0xfc])), 'E_FILE_ENCODING'],
    ['nothing in it', (path) => writeFileSync(path, ''), 'ok'],
  ])('finds %s', (_, make, code) => {
    using temp = tempFolder();
    const path = `${temp.path}/shop.toml`;
    make(path);
    const before = openDescriptors();
    expect(codeOf(lookAtFile(path, leases))).toBe(code);
    expect(openDescriptors()).toBe(before);
  });

  it('finds a socket', async () => {
    using temp = tempFolder();
    const path = `${temp.path}/shop.toml`;
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    expect(codeOf(lookAtFile(path, leases))).toBe('E_FILE_KIND');
    await new Promise((resolve) => void server.close(resolve));
  });

  it('finds one that may not be read, and a symlink to where it may not go', () => {
    using temp = tempFolder();
    chmodSync(temp.path, 0o755);
    const path = temp.file('shop.toml');
    temp.file('closed/target');
    symlinkSync('closed/target', `${temp.path}/link.toml`);
    chmodSync(path, 0);
    chmodSync(`${temp.path}/closed`, 0);
    expect(withoutRights(() => [path, `${temp.path}/link.toml`].map((each) => codeOf(lookAtFile(each, leases))))).toEqual(['E_FILE_UNREADABLE', 'E_FILE_UNREADABLE']);
    chmodSync(`${temp.path}/closed`, 0o755);
  });

  it('waits for who has it open for writing', () => {
    using temp = tempFolder();
    const path = temp.file('shop.toml');
    symlinkSync('shop.toml', `${temp.path}/link.toml`);
    const fd = openSync(path, 'a');
    expect([path, `${temp.path}/link.toml`].map((each) => lookAtFile(each, leases).kind)).toEqual(['busy', 'busy']);
    closeSync(fd);
    expect(lookAtFile(path, leases).kind).toBe('seen');
  });

  it.each(['v/one.toml', 'far', 'middle/link'])('of a symlink depends on %s', (name) => {
    using temp = tempFolder();
    temp.file('far');
    mkdirSync(`${temp.path}/middle`);
    mkdirSync(`${temp.path}/v`);
    symlinkSync('../far', `${temp.path}/middle/link`);
    symlinkSync('../middle/link', `${temp.path}/v/one.toml`);
    const look = lookAtFile(`${temp.path}/v/one.toml`, leases);
    const posts = look.kind === 'seen' ? look.signposts.map((post) => `${post.folder}/${post.name}`) : [];
    expect(posts).toContain(`${temp.path}/${name}`);
  });
});
