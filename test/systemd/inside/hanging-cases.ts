import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { answer } from '../../e2e/http.ts';
import { until } from '../../until.ts';
import { succeed } from './host.ts';
import { reigning, service } from './reign.ts';

const SERVER = new URL('../../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
const [SHOP, WIKI] = [8201, 8202] as const;
/** Before all others in the PATH of the emperor. */
const ASIDE = '/run/aside';
const DROP_IN = '/run/systemd/system/emperor.service.d/aside.conf';

const serving = (port: number): readonly string[] =>
  [`command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', 'start-timeout = "3s"', 'stop-timeout = "1s"'];

/** A program of systemd hangs from now on. @returns ends that */
function hang(program: string): () => void {
  writeFileSync(`${ASIDE}/${program}`, '#!/bin/sh\nexec sleep 100000\n');
  chmodSync(`${ASIDE}/${program}`, 0o755);
  return () => rmSync(`${ASIDE}/${program}`);
}

/** The emperor reigns, with a folder before all others in its PATH, a vassal of its own and one that is a unit. */
async function staged(): Promise<void> {
  await reigning();
  mkdirSync(ASIDE, { recursive: true });
  mkdirSync('/run/systemd/system/emperor.service.d', { recursive: true });
  writeFileSync(DROP_IN, `[Service]\nEnvironment=PATH=${ASIDE}:/usr/bin:/bin:/usr/sbin:/sbin\n`);
  await succeed('systemctl', 'daemon-reload');
  service.write('shop', ...serving(SHOP));
  service.write('wiki', ...serving(WIKI), 'runner = "systemd"');
  await service.systemctl('restart');
  await service.untilState('shop', 'ready');
  await service.untilState('wiki', 'ready');
}

async function leave(): Promise<void> {
  for (const name of ['shop', 'wiki']) service.remove(name);
  await service.cli('rescan');
  rmSync(DROP_IN);
  await succeed('systemctl', 'daemon-reload');
  await service.systemctl('restart');
}

async function unitsOf(name: string): Promise<readonly string[]> {
  return (await succeed('systemctl', 'list-units', '--all', '--plain', '--no-legend', `emperor-${name}-*.service`)).split('\n').filter((line) => line !== '');
}

/** A systemd that does not answer, or not in time. */
export const HANGING_CASES: Readonly<Record<string, () => Promise<void>>> = {
  'a systemd that starts nothing is the failure of a unit, and holds up neither others nor a stop': async () => {
    await staged();
    const mend = hang('systemd-run');
    expect(await service.cli('reload', 'wiki')).toMatchObject({ code: 1, stderr: expect.stringMatching(/E_UNIT.*systemd has not started emperor-wiki-\d+\.service for 3 s/) });
    expect(await answer(WIKI)).not.toBeNull();
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    // One that is on its way, and is not wanted any more before systemd has begun it.
    service.write('wiki', ...serving(WIKI).filter((line) => !line.startsWith('start-timeout')), 'runner = "systemd"');
    expect(await service.cli('rescan')).toMatchObject({ code: 0 });
    await service.untilState('wiki', 'reloading');
    const from = performance.now();
    expect(await service.cli('stop', 'wiki')).toMatchObject({ code: 0 });
    expect(await service.cli('start', '--no-wait', 'wiki')).toMatchObject({ code: 0 });
    await service.untilState('wiki', 'starting');
    await service.systemctl('stop');
    expect([await service.show('Result'), await service.show('ActiveState')]).toEqual(['success', 'inactive']);
    // By itself systemd is given up after 60 s.
    expect(performance.now() - from).toBeLessThan(45_000);
    mend();
    await reigning();
    await service.untilState('wiki', 'ready');
    await leave();
  },

  'a systemd-run that is not there is the failure of a unit, and found again when it is back': async () => {
    await staged();
    await succeed('mv', '/usr/bin/systemd-run', '/usr/bin/systemd-run.away');
    try {
      expect(await service.cli('reload', 'wiki')).toMatchObject({ code: 1, stderr: expect.stringMatching(/E_UNIT.*systemd-run ENOENT/) });
      expect(await answer(WIKI)).not.toBeNull();
    } finally {
      await succeed('mv', '/usr/bin/systemd-run.away', '/usr/bin/systemd-run');
    }
    expect(await service.cli('reload', 'wiki')).toMatchObject({ code: 0 });
    await leave();
  },

  'a systemd that cannot be asked holds up no emperor, and what has ended meanwhile is forgotten when it answers': async () => {
    await staged();
    const emperor = Number(await service.show('MainPID'));
    const [shop, wiki] = [await service.pid('shop'), await service.pid('wiki')];
    const [left] = await unitsOf('wiki');
    const mend = hang('systemctl');
    process.kill(wiki, 'SIGKILL');
    await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
    await service.untilSuccessor(emperor);
    expect(await service.pid('shop')).toBe(shop);
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    mend();
    await service.untilState('wiki', 'ready');
    expect(await answer(WIKI)).not.toBeNull();
    // Also those of which nobody knows how they have ended.
    await until(async () => expect(await unitsOf('wiki')).toEqual([expect.stringContaining('running')]));
    expect(left).not.toBe(undefined);
    await leave();
  },
};
