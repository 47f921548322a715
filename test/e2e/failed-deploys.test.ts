import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import { Daemon, makePlace } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { needs } from './needs.ts';

const APPS = new URL('../fixtures/apps', import.meta.url).pathname;

/** A WSGI app in one file: what it does when it is imported, and what it answers. */
const wsgi = (first: string, status = '200 OK'): string => [
  'import os, threading, time', first,
  'def app(environ, start_response):', `    start_response('${status}', [('Content-Type', 'text/plain')])`, "    return [b'new']", '',
].join('\n');

const BROKEN = [
  { name: 'an import error', app: wsgi('import no_such_module'), code: 'E_EXITED', says: 'No module named', more: [] },
  { name: 'a syntax error', app: 'def app(:\n', code: 'E_EXITED', says: 'SyntaxError', more: [] },
  { name: 'a module that hangs when it is imported', app: wsgi('time.sleep(1000)'), code: 'E_NOT_READY', says: null, more: ['start-timeout = "3s"'] },
  { name: 'an app that answers 500 to everything', app: wsgi('', '500 Oh No'), code: 'E_NOT_READY', says: null, more: ['start-timeout = "3s"'] },
] as const;

it.each(BROKEN)('an edit to $name is refused: no request is lost, or answered by it', async ({ app, code, says, more }) => {
  needs('gunicorn', 'gunicorn');
  const { daemon: started, port, file } = await serving(more);
  await using daemon = started;
  writeFileSync(join(daemon.place.vassals, 'apps/wsgi/broken.py'), app);
  const load = startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  daemon.write('shop.toml', file('broken:app'));
  const status = await daemon.until(({ vassals: [shop] }) => shop?.state === 'ready' && shop.failure !== null && (says === null || shop.failure.output.length > 0), 'the edit is refused');
  const { lost, answered } = await load.end();
  expect(Object.fromEntries(lost)).toEqual({});
  expect(answered).toBeGreaterThan(10);
  expect(await answer(port)).not.toContain('new');
  expect(status.vassals[0]).toMatchObject({ revision: 1, failure: { revision: 2, code } });
  if (says !== null) expect(status.vassals[0]?.failure?.output.join('\n')).toContain(says);
  const events = await daemon.events('shop');
  expect(events.filter((each) => each.event === 'swapped')).toEqual([]);
}, 60_000);

it('an edit to an app that dies 300 ms after it was ready is taken back: the old one has the traffic again', async () => {
  needs('gunicorn', 'gunicorn');
  const { daemon: started, port, file } = await serving(['linger = "5s"']);
  await using daemon = started;
  // The whole server ends with its only worker: that is what a program without a master does.
  daemon.write('shop.toml', file('broken:app').replace('server = "gunicorn"\napp = "broken:app"', `command = ["python3", "dies.py"]`));
  writeFileSync(join(daemon.place.vassals, 'apps/wsgi/dies.py'), [
    'import os, socket, threading, http.server',
    'class Handler(http.server.BaseHTTPRequestHandler):',
    '    def do_GET(self):',
    "        self.send_response(200); self.end_headers(); self.wfile.write(b'new')",
    "        threading.Timer(0.3, os._exit, [7]).start()",
    'server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)',
    'server.socket = socket.socket(fileno=3)',
    'server.serve_forever()', '',
  ].join('\n'));
  const status = await daemon.until(({ vassals: [shop] }) => shop?.state === 'ready' && shop.failure !== null, 'the edit is taken back');
  expect(status.vassals[0]).toMatchObject({ revision: 1, failure: { revision: 2, code: 'E_EXITED' } });
  expect(await answer(port)).not.toContain('new');
  const events = (await daemon.events('shop')).map((each) => each.event);
  expect(events).toContain('swapped');
  expect(events).toContain('rejected');
}, 60_000);

/** A shop under gunicorn that serves revision 1. */
async function serving(more: readonly string[]): Promise<{ readonly daemon: Daemon; readonly port: number; readonly file: (app: string) => string }> {
  const place = makePlace();
  mkdirSync(join(place.vassals, 'apps'));
  cpSync(join(APPS, 'wsgi'), join(place.vassals, 'apps/wsgi'), { recursive: true });
  const daemon = await Daemon.start(place);
  const port = await freePort();
  const file = (app: string): string => ['[vassal]', 'server = "gunicorn"', `app = "${app}"`, 'directory = "apps/wsgi"', `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', ...more, ''].join('\n');
  daemon.write('shop.toml', file('shop:app'));
  await daemon.untilState('shop', 'ready');
  return { daemon, port, file };
}
