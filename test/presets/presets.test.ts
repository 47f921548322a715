import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { PresetRequest } from '../../src/presets/preset.ts';
import { inPythonOf } from '../../src/presets/own-python.ts';
import { presets } from '../../src/presets/registry.ts';
import { UVICORN_LAUNCHER } from '../../src/presets/uvicorn-launcher.ts';
import { WAITRESS_LAUNCHER } from '../../src/presets/waitress-launcher.ts';

const HTTP: Address = { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false };
const HTTP6: Address = { kind: 'tcp', host: '::1', port: 8000, v6only: false };
const UNIX: Address = { kind: 'unix', path: '/run/shop.sock' };

function presetOf(name: string) {
  const preset = presets().get(name);
  if (preset === undefined) throw new Error(`no preset ${name}`);
  return preset;
}

function request(parts: Partial<PresetRequest>): PresetRequest {
  return { app: '', workers: null, listen: [], file: '/v/shop.toml', ...parts };
}

const GRACEFULLY = ['--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'];
const FPM = ['php-fpm', '--nodaemonize', '--force-stderr', '--fpm-config', 'fpm.conf'];

it.each<[string, Partial<PresetRequest>, string[]]>([
  ['gunicorn', { app: 'shop:app' }, ['gunicorn', '--workers', '1', 'shop:app']],
  ['gunicorn', { app: 'shop:app', workers: 4, listen: [HTTP, UNIX] }, ['gunicorn', '--workers', '4', 'shop:app']],
  ['hypercorn', { app: 'shop:app' }, ['hypercorn', 'shop:app']],
  ['hypercorn', { app: 'shop:app', workers: 2, listen: [HTTP, UNIX] }, ['hypercorn', '--workers', '2', '--bind', 'fd://3', '--bind', 'fd://4', 'shop:app']],
  ['mod_wsgi-express', { app: 'shop.wsgi', workers: 3 }, ['/bin/sh', '-c', 'exec mod_wsgi-express start-server --log-to-terminal ${PORT:+--host "$HOST" --port "$PORT"} "$@"', 'mod_wsgi-express', '--processes', '3', 'shop.wsgi']],
  ['node', { app: 'server.js' }, ['node', 'server.js']],
  ['node', { app: 'server.js', listen: [HTTP] }, ['node', 'server.js']],
  ['puma', { app: 'config.ru' }, ['puma', 'config.ru']],
  ['puma', { app: 'config.ru', workers: 2, listen: [HTTP] }, ['puma', '--workers', '2', '--bind-to-activated-sockets=only', 'config.ru']],
  ['python', { app: 'server.py', listen: [HTTP] }, ['python3', 'server.py']],
  ['uvicorn', { app: 'shop:app' }, ['uvicorn', 'shop:app']],
  ['uvicorn', { app: 'shop:app', workers: 2 }, ['uvicorn', '--workers', '2', 'shop:app']],
  ['uvicorn', { app: 'shop:app', listen: [HTTP] }, [...inPythonOf('uvicorn', UVICORN_LAUNCHER, 'shop:app', '1', '3')]],
  ['uvicorn', { app: 'shop:app', workers: 2, listen: [HTTP, UNIX] }, [...inPythonOf('uvicorn', UVICORN_LAUNCHER, 'shop:app', '2', '3', '4')]],
  ['uwsgi', { file: '/v/my shop.ini' }, ['uwsgi', '--safe-fd', '4', '--ini', '/v/my shop.ini', ...GRACEFULLY]],
  ['uwsgi', { file: '/v/shop.ini', loadsApp: true }, ['uwsgi', '--need-app', '--safe-fd', '4', '--ini', '/v/shop.ini', ...GRACEFULLY]],
  ['uwsgi', { file: '/v/shop.yml' }, ['uwsgi', '--safe-fd', '4', '--yaml', '/v/shop.yml', ...GRACEFULLY]],
  ['uwsgi', { file: '/v/shop.ini', listen: [HTTP, UNIX] }, ['uwsgi', '--safe-fd', '6', '--ini', '/v/shop.ini', '--socket', 'fd://3', '--socket', 'fd://4', ...GRACEFULLY]],
  ['waitress', { app: 'shop:app' }, ['waitress-serve', 'shop:app']],
  ['waitress', { app: 'shop:app', listen: [HTTP, HTTP6] }, [...inPythonOf('waitress-serve', WAITRESS_LAUNCHER, 'shop:app', '3', '4')]],
])('%s is started for %j', (name, parts, argv) => {
  expect(presetOf(name).argv(request(parts))).toEqual(argv);
});

describe('php-fpm', () => {
  it('is started in the foreground with its configuration', () => {
    expect(presetOf('php-fpm').argv(request({ app: 'fpm.conf' })).slice(3)).toEqual(FPM);
  });

  it.each<[readonly Address[], Record<string, string>]>([
    [[], {}],
    [[HTTP], { FPM_SOCKETS: '127.0.0.1:8000=3', FPM_LISTEN: '127.0.0.1:8000' }],
    [[HTTP6, UNIX], { FPM_SOCKETS: '::1:8000=3,/proc/self/fd/4=4', FPM_LISTEN: '[::1]:8000', FPM_LISTEN_2: '/proc/self/fd/4' }],
  ])('is told the names of %j', (listen, environment) => {
    expect(presetOf('php-fpm').environment?.(request({ app: 'fpm.conf', listen }))).toEqual(environment);
  });
});

it('knows each preset by its own name, in the order of the alphabet', () => {
  const names = [...presets().keys()];
  expect([...presets().values()].map(({ name }) => name)).toEqual(names);
  expect(names).toEqual(names.toSorted());
});

it.each([...presets().values()])('$name ends its requests before itself', ({ name, stopSignal }) => {
  const others: Readonly<Record<string, string>> = { 'php-fpm': 'SIGQUIT', 'mod_wsgi-express': 'SIGWINCH' };
  expect(stopSignal).toBe(others[name] ?? 'SIGTERM');
});

it.each([...presets().values()])('$name is ready with a held socket once it accepts from it, or says so, never for staying alive', ({ readyListening, channel }) => {
  if (channel === true) expect(readyListening).toEqual({ kind: 'channel' });
  else expect(readyListening).toMatchObject({ kind: 'probe', probe: { kind: 'tcp', target: { kind: 'listen' } } });
});

it('gives Python servers an output that nothing holds back', () => {
  const unbuffered = [...presets().values()].filter((preset) => preset.environment?.(request({}))['PYTHONUNBUFFERED'] === '1');
  expect(unbuffered.map(({ name }) => name)).toEqual(['gunicorn', 'hypercorn', 'python', 'uvicorn', 'waitress']);
});
