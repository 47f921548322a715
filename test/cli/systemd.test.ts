import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Ended } from '../e2e/daemon.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** `emperor systemd VERB --user` on a host whose systemctl is there, and has nobody to speak to. */
function cli(verb: string, folder: string): Promise<Ended> {
  writeFileSync(join(folder, 'systemctl'), '#!/bin/sh\n[ "$2" = --version ] && echo "systemd 252 (252.1)" && exit\necho "System has not been booted with systemd as init system" >&2; exit 1\n', { mode: 0o755 });
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'systemd', verb, '--user'], { env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder } }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }));
  });
}

describe('the units of a host that was not booted with systemd', () => {
  it.each(['install', 'uninstall'])('%s does nothing, and says in the words of systemctl why', async (verb) => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-units-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const ended = await cli(verb, folder);
    expect(ended).toMatchObject({ stdout: '', stderr: expect.stringContaining('System has not been booted with systemd') });
    expect(ended.code).not.toBe(0);
    expect(readdirSync(folder)).toEqual(['systemctl']);
  });

  it('print shows them all the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-units-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(await cli('print', folder)).toMatchObject({ code: 0, stdout: expect.stringContaining('Type=notify') });
  });
});
