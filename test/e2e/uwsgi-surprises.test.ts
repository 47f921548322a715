import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Daemon } from './daemon.ts';
import { answer } from './http.ts';
import { needs } from './needs.ts';
import { Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

it('a worker that is busy when its master is killed does not keep the port from the next one', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  const before = await shop.deployed(['processes = 2']);
  shop.close('slow');
  const slow = answer(shop.port, '/slow');
  await shop.reached('slow');
  process.kill(await shop.master(), 'SIGKILL');
  await daemon.untilReplaced('shop', before);
  await shop.answers('one');
  expect(await slow).toBeNull();
});

it('an edit with the date of the text before it, or with an older one, is deployed', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  const app = join(daemon.place.folder, 'app.py');
  writeFileSync(app, readFileSync(app, 'utf8').replace("str(os.environ.get('UWSGI_EMPEROR_FD'))", "os.environ['WHO']"));
  const text = (who: string): void => {
    shop.deploy([`env = WHO=${who}`]);
    const at = new Date(who === 'older' ? 1_000_000_000_000 : 1_700_000_000_000);
    utimesSync(shop.file, at, at);
  };
  text('first');
  await shop.answers('one first');
  for (const who of ['same', 'older']) {
    text(who);
    await shop.answers(`one ${who}`);
  }
});

it('a fix clears the wait of one that has failed again and again', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  shop.version('broken');
  shop.deploy(['env = X=1'], ['backoff.first = 1h', 'backoff.max = 1h']);
  await daemon.untilState('shop', 'backoff');
  shop.version('one');
  shop.deploy(['env = X=2'], ['backoff.first = 1h', 'backoff.max = 1h']);
  await daemon.untilState('shop', 'ready');
});
