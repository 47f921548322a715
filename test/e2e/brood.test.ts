import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Daemon, makePlace } from './daemon.ts';
import { answer, freePort } from './http.ts';

const PROGRAM = new URL('../fixtures/programs/answers-when-let.py', import.meta.url).pathname;

function shop(port: number, gate: string, ...more: readonly string[]): string {
  return [
    '[vassal]', `command = ["python3", ${JSON.stringify(PROGRAM)}, ${JSON.stringify(gate)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { after = "50ms" }',
    'instances = { min = 1, max = 3 }', 'scale-up = { backlog = 5, for = "200ms", cool-down = "100ms" }', 'scale-down = { idle = "1s" }', ...more, '',
  ].join('\n');
}

it('more instances come when connections wait, and go when nobody connects any more; the next emperor knows of it', async () => {
  const place = makePlace();
  const gate = join(place.folder, 'gate');
  await using daemon = await Daemon.start(place);
  const port = await freePort();
  daemon.write('shop.toml', shop(port, gate));
  await daemon.untilState('shop', 'ready');
  expect((await daemon.vassal('shop'))?.scaling).toEqual({ wanted: 1, min: 1, max: 3 });
  const answers = Promise.all(Array.from({ length: 20 }, () => answer(port)));
  const grown = await daemon.until(({ vassals }) => vassals[0]?.instances.filter(({ state }) => state === 'ready').length === 3, 'there are three instances');
  expect(grown.vassals[0]).toMatchObject({ state: 'ready', scaling: { wanted: 3, min: 1, max: 3 }, scale: null });
  const scaled = (await daemon.events('shop')).filter(({ event }) => event === 'scaled').map(({ why }) => why);
  expect(scaled).toEqual([expect.stringMatching(/^there are to be 2 instances: \d+ connections wait$/), expect.stringMatching(/^there are to be 3 instances: \d+ connections wait$/)]);

  await daemon.end('SIGKILL');
  await using next = await daemon.successor();
  expect((await next.untilState('shop', 'ready')).scaling).toEqual({ wanted: 3, min: 1, max: 3 });
  writeFileSync(gate, '');
  expect((await answers).filter((text) => text !== 'ok\n')).toEqual([]);
  const shrunk = await next.until(({ vassals }) => vassals[0]?.instances.length === 1, 'there is one instance again');
  expect(shrunk.vassals[0]?.scaling?.wanted).toBe(1);
  expect((await next.events('shop')).findLast(({ event }) => event === 'scaled')?.why).toBe('there are to be 1 instances: nobody has connected for its idle time');
}, 60_000);

it('what an operator asks for counts more, until the file is touched', async () => {
  const place = makePlace();
  const gate = join(place.folder, 'gate');
  writeFileSync(gate, '');
  await using daemon = await Daemon.start(place);
  const port = await freePort();
  daemon.write('shop.toml', shop(port, gate));
  await daemon.untilState('shop', 'ready');
  expect((await daemon.cli('scale', 'shop', '2')).code).toBe(0);
  expect(await daemon.vassal('shop')).toMatchObject({ scale: 2, scaling: { wanted: 2, min: 1, max: 3 } });
  daemon.write('shop.toml', shop(port, gate, '# touched'));
  const status = await daemon.until(({ vassals }) => vassals[0]?.state === 'ready' && vassals[0].revision === 2, 'it is reloaded');
  expect(status.vassals[0]).toMatchObject({ scale: null, scaling: { wanted: 1, min: 1, max: 3 } });
}, 60_000);
