import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openLeases } from '../../src/kernel/lease.ts';
import { openLibc } from '../../src/kernel/libc.ts';

const folder = mkdtempSync(join(tmpdir(), 'lease-'));
const file = join(folder, 'file');
writeFileSync(file, 'text');
const leases = openLeases(openLibc());
afterAll(() => rmSync(folder, { recursive: true }));

describe('whether a file is being written', () => {
  it.each([
    ['nobody has it open', null, 'none'],
    ['somebody reads it', 'r', 'none'],
    ['somebody appends to it', 'a', 'some'],
    ['somebody may do both', 'r+', 'some'],
  ])('%s', (_, flags, answer) => {
    const other = flags === null ? null : openSync(file, flags);
    const fd = openSync(file, 'r');
    expect([leases.writer(fd), leases.writer(fd)]).toEqual([answer, answer]);
    if (other !== null) closeSync(other);
    expect(leases.writer(fd)).toBe('none');
    closeSync(fd);
  });

  it('cannot be told of what is no regular file', () => {
    const fd = openSync('/dev/null', 'r');
    expect(leases.writer(fd)).toBe('unknown');
    closeSync(fd);
  });

  it('cannot be told of the file of another user, unless by root', () => {
    const fd = openSync('/etc/passwd', 'r');
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    const answer = leases.writer(fd);
    if (root) process.seteuid?.(0);
    expect(answer).toBe('unknown');
    closeSync(fd);
  });

  it('is asked without harm to us or to a writer that comes in between', async () => {
    const writer = spawn('bash', ['-c', `for i in {1..500}; do echo $i > ${file}; done`], { stdio: 'ignore' });
    const ended = new Promise((resolve) => void writer.once('exit', resolve));
    const fd = openSync(file, 'r');
    const answers = new Set<string>();
    while (writer.exitCode === null) {
      for (let time = 0; time < 1_000; time += 1) answers.add(leases.writer(fd));
      await new Promise((resolve) => void setImmediate(resolve));
    }
    closeSync(fd);
    expect(await ended).toBe(0);
    expect(answers).toContain('none');
  });
});
