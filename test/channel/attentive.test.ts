import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isAttentive } from '../../src/channel/attentive.ts';

it.each([
  ['of which nobody ignores HUP', 'sleep 1000 & sleep 1000 & echo up; wait', true],
  ['that ignores HUP itself', 'trap "" HUP; echo up; read line; :', false],
  ['with a child that ignores HUP', 'sleep 1000 & (trap "" HUP; echo up; exec sleep 1000) & wait', false],
])('a process %s can be told something: %s', async (_what, script, attentive) => {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  await once(child.stdout, 'data');
  try {
    expect(isAttentive(child.pid!)).toBe(attentive);
  } finally {
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
  }
});

it('what it started in a session of its own is another affair', async () => {
  const child = spawn('/bin/sh', ['-c', "(trap '' HUP; exec setsid sh -c 'echo $$; exec sleep 1000') & wait"], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  try {
    expect(isAttentive(child.pid!)).toBe(true);
  } finally {
    process.kill(-child.pid!, 'SIGKILL');
    process.kill(Number(told.toString()), 'SIGKILL');
    await once(child, 'exit');
  }
});

it('nobody is kept waiting for a process that is not there', () => {
  expect(isAttentive(2 ** 22 + 1)).toBe(true);
});
