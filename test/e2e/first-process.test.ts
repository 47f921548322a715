import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';

/** State and parent of each process of this host. */
function processes(): readonly { readonly pid: number; readonly state: string; readonly parent: number }[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const [state = '', parent = ''] = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
      return [{ pid: Number(name), state, parent: Number(parent) }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

it('as the first process of a container it takes leave of orphans, and ends when it is told to', async () => {
  // The namespace's first process is the emperor; unshare(1) itself stays outside, and passes nothing on.
  await using daemon = await Daemon.start(makePlace(), { through: ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'] });
  const { pid } = processes().find(({ parent }) => parent === daemon.process.pid)!;
  expect((await daemon.status()).emperor.pid).toBe(1);
  // The middle one ends at once, so that its children are orphans; they end one after the other.
  daemon.write('forks.toml', toml(['/bin/sh', '-c', '(for each in 1 2 3 4 5; do setsid sh -c "sleep 0.$each" & done); exec sleep 1000']));
  await daemon.untilState('forks', 'ready');
  await until(() => expect(processes().filter(({ parent, state }) => parent === pid && state !== 'Z')).toHaveLength(1));
  await until(() => expect(processes().filter(({ parent }) => parent === pid)).toHaveLength(1));
  expect(await daemon.vassal('forks')).toMatchObject({ state: 'ready', restarts: 0 });
  process.kill(pid, 'SIGTERM');
  expect(await daemon.gone()).toBe(0);
}, 60_000);
