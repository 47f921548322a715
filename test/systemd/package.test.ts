import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Ended } from '../e2e/daemon.ts';
import { needs } from '../e2e/needs.ts';

const PACKAGE = new URL('../../systemd/', import.meta.url).pathname;

/** A program of systemd that works on files alone: no systemd has to run. */
function run(file: string, ...args: readonly string[]): Promise<Ended> {
  needs(file, 'systemd');
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...process.env, SYSTEMD_COLORS: '0' } }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }));
  });
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'emperor-package-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

/** The units as a package installs them, but for a program that is there. */
function units(source: string = PACKAGE): string {
  const place = folder();
  for (const name of readdirSync(source).filter((each) => /\.(?:service|slice|socket)$/.test(each))) {
    writeFileSync(join(place, name), readFileSync(join(source, name), 'utf8').replaceAll('/usr/bin/emperor', '/bin/true'));
  }
  return place;
}

/** A system of its own, with root and nothing else. */
function root(): string {
  const place = folder();
  mkdirSync(join(place, 'etc'));
  writeFileSync(join(place, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(place, 'etc/group'), 'root:x:0:\n');
  return place;
}

describe('the files of the package', () => {
  it('are units that systemd has nothing to say about', async () => {
    const place = units();
    const all = ['emperor.service', 'emperor@shops.service', 'emperor.slice', 'emperor.socket'].map((name) => join(place, name));
    writeFileSync(join(place, 'emperor@shops.service'), readFileSync(join(place, 'emperor@.service')));
    expect(await run('systemd-analyze', 'verify', '--man=no', ...all)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('systemd-analyze', 'verify', '--man=no', join(units(join(PACKAGE, 'user')), 'emperor.service'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('take from instances only what no app server needs: systemd-analyze security tells the score', async () => {
    const { stdout } = await run('systemd-analyze', 'security', '--offline=true', '--no-pager', join(units(), 'emperor.service'));
    const [, score = ''] = /Overall exposure level for emperor\.service: ([\d.]+)/.exec(stdout) ?? [];
    process.stdout.write(`systemd-analyze security: ${score}\n`);
    expect(Number(score)).toBeLessThan(9);
    for (const name of ['SYS_MODULE', 'SYS_RAWIO', 'SYSLOG', 'SYS_BOOT', 'WAKE_ALARM']) expect(stdout).toMatch(new RegExp(`✓ CapabilityBoundingSet=~CAP_(?:${name}\\b|[A-Z_()|,]*${name})`));
  });

  it('make the group that may be given the control socket: sysusers.d(5)', async () => {
    const place = root();
    for (let turn = 0; turn < 2; turn += 1) expect(await run('systemd-sysusers', `--root=${place}`, join(PACKAGE, 'sysusers.conf'))).toMatchObject({ code: 0 });
    expect(readFileSync(join(place, 'etc/group'), 'utf8')).toMatch(/^root:x:0:\nemperor:x:\d+:\n$/);
    expect(readFileSync(join(place, 'etc/passwd'), 'utf8')).toBe('root:x:0:0:root:/root:/bin/sh\n');
  });

  it('make the folder of vassal files as the unit does: tmpfiles.d(5)', async () => {
    const place = root();
    for (let turn = 0; turn < 2; turn += 1) expect(await run('systemd-tmpfiles', `--root=${place}`, '--create', join(PACKAGE, 'tmpfiles.conf'))).toMatchObject({ code: 0 });
    const unit = readFileSync(join(PACKAGE, 'emperor.service'), 'utf8');
    const folders = /^ConfigurationDirectory=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    expect(folders).toEqual(['emperor', 'emperor/vassals']);
    // ConfigurationDirectoryMode= is 0755 by default.
    expect(unit).not.toContain('ConfigurationDirectoryMode');
    for (const each of folders) {
      const { mode, uid, gid } = statSync(join(place, 'etc', each));
      expect([each, mode & 0o7777, uid, gid]).toEqual([each, 0o755, 0, 0]);
    }
    expect(readdirSync(join(place, 'etc/emperor'))).toEqual(['vassals']);
  });
});
