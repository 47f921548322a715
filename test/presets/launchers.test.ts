import { expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { presets } from '../../src/presets/registry.ts';
import { answer, untilAnswer } from '../e2e/http.ts';
import { Launched } from './launched.ts';

/** Only its place in the order counts: it is descriptor 3. */
const ANY: Address = { kind: 'tcp', host: '127.0.0.1', port: 1, v6only: false };

async function launch(server: string, app: string, workers: number | null, folder: string): Promise<Launched> {
  const argv = presets().get(server)?.argv({ app, workers, listen: [ANY], file: '/v/shop.toml' });
  if (argv === undefined) throw new Error(`no preset ${server}`);
  return await Launched.start(argv, folder);
}

const SERVERS = [
  { server: 'waitress', workers: null, folder: 'wsgi' },
  { server: 'uvicorn', workers: null, folder: 'asgi' },
  { server: 'uvicorn', workers: 2, folder: 'asgi' },
] as const;

it.each(SERVERS)('$server ($workers workers) serves on the passed socket, and at TERM answers what it has begun', async ({ server, workers, folder }) => {
  await using launched = await launch(server, 'shop:app', workers, folder);
  expect(await untilAnswer(launched.port)).toMatch(/^\d+ 1\n$/);
  const slow = answer(launched.port, '/slow');
  await launched.untilPrinted('slow begins');
  launched.stop();
  expect(await slow).toMatch(/^\d+ 1\n$/);
  expect(await launched.ended).toBe(0);
});

it.each(SERVERS)('$server ($workers workers) ends with a failure when the app cannot be imported', async ({ server, workers, folder }) => {
  await using launched = await launch(server, 'no_such_module:app', workers, folder);
  expect(await launched.ended).toBeGreaterThan(0);
  await launched.untilPrinted('no_such_module');
});

it('uvicorn ends as a whole when one of its workers dies', async () => {
  await using launched = await launch('uvicorn', 'shop:app', 2, 'asgi');
  const [pid] = (await untilAnswer(launched.port)).split(' ');
  process.kill(Number(pid), 'SIGKILL');
  expect(await launched.ended).toBe(9);
});
