import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { answer } from '../../e2e/http.ts';
import { until } from '../../until.ts';
import { succeed } from './host.ts';
import { reigning, service } from './reign.ts';

const SERVER = new URL('../../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
const FIRST_PORT = 20_000;
const DROP_IN = '/run/systemd/system/emperor.service.d/store.conf';

/** Vassals that nobody has asked for yet: all that there is of each is its socket. */
async function idle(count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, each) => `idle${each}`);
  for (const [each, name] of names.entries()) {
    service.write(name, `command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${FIRST_PORT + each}"`, 'ready = { http = "/" }', 'on-demand = true');
  }
  expect(await service.cli('rescan')).toMatchObject({ code: 0 });
  return names;
}

async function leave(names: readonly string[]): Promise<void> {
  for (const name of names) service.remove(name);
  expect(await service.cli('rescan')).toMatchObject({ code: 0 });
}

/** Descriptors that systemd keeps for the emperor, in numbers. */
export const STORE_CASES: Readonly<Record<string, () => Promise<void>>> = {
  'more sockets than a process usually may open outlive an emperor that is killed': async () => {
    await reigning();
    const names = await idle(1_100);
    await until(async () => expect(Number(await service.show('NFileDescriptorStore'))).toBeGreaterThanOrEqual(names.length));
    const old = Number(await service.show('MainPID'));
    await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
    const asks = [FIRST_PORT, FIRST_PORT + names.length - 1].map((port) => answer(port));
    await service.untilSuccessor(old);
    for (const each of await Promise.all(asks)) expect(each).not.toBeNull();
    // What instances may open is not what the emperor may.
    service.write('sleeps', 'command = ["/bin/sleep", "1000"]', 'ready = { after = "1ms" }');
    await service.untilState('sleeps', 'ready');
    expect(readFileSync(`/proc/${await service.pid('sleeps')}/limits`, 'utf8')).toMatch(/^Max open files +1024 /m);
    await leave([...names, 'sleeps']);
    await until(async () => expect(Number(await service.show('NFileDescriptorStore'))).toBeLessThan(10));
  },

  'a store that is full is told of, and costs only what is not in it': async () => {
    await reigning();
    mkdirSync('/run/systemd/system/emperor.service.d', { recursive: true });
    writeFileSync(DROP_IN, '[Service]\nFileDescriptorStoreMax=20\n');
    await succeed('systemctl', 'daemon-reload');
    await service.systemctl('restart');
    const names = await idle(60);
    await until(async () => expect(await service.show('NFileDescriptorStore')).toBe('20'));
    expect(await succeed('journalctl', '--no-pager', '-u', service.unit)).toContain('Cannot store more fds than FileDescriptorStoreMax=20');
    const old = Number(await service.show('MainPID'));
    await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
    await service.untilSuccessor(old);
    for (const port of [FIRST_PORT, FIRST_PORT + names.length - 1]) expect(await answer(port)).not.toBeNull();
    await leave(names);
    rmSync(DROP_IN);
    await succeed('systemctl', 'daemon-reload');
    await service.systemctl('restart');
  },
};
