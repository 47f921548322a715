import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const LAUNCHER = new URL('../../src/emperor.mjs', import.meta.url).pathname;

/** Starts the launcher on a node that says it is of another version. */
function launch(version: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'});Object.defineProperty(process,'version',{value:'v${version}'})`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', pretend, LAUNCHER, '--version'], (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }));
  });
}

describe('the launcher', () => {
  it.each(['12.22.12', '18.0.0', '20.20.2', '22.21.1'])('refuses node %s with one line', async (version) => {
    expect(await launch(version)).toEqual({
      code: 1,
      stdout: '',
      stderr: `emperor needs Node 22.22 or newer, this is v${version} at ${process.execPath}; in a checkout "npx emperor" brings its own\n`,
    });
  });

  it.each(['22.22.0', '24.0.0', '100.1.0'])('goes on with node %s', async (version) => {
    expect(await launch(version)).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  it.each([['says how many files could be open before node raised that', {}, '99'], ['leaves that to who has said it, as units do', { EMPEROR_NOFILE: '1024' }, '1024']])('%s', async (_what, environment, said) => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-launcher-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "$EMPEROR_NOFILE $@"\n', { mode: 0o755 });
    const stdout = await new Promise((resolve) => {
      execFile('/bin/sh', ['-c', 'ulimit -S -n 99; exec "$@"', 'sh', LAUNCHER, 'status', 'a b'], { env: { PATH: folder, ...environment } }, (_error, out) => resolve(out));
    });
    expect(stdout).toBe(`${said} ${LAUNCHER} status a b\n`);
  });

  it('can be read by old nodes, and be executed', () => {
    const text = readFileSync(LAUNCHER, 'utf8');
    expect(text.startsWith('#!/bin/sh\n')).toBe(true);
    expect(text).not.toMatch(/^\s*import\s|\?\?|\?\.|^\s*await\s/m);
    expect(statSync(LAUNCHER).mode & 0o111).toBe(0o111);
  });
});
