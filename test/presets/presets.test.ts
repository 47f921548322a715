import { expect, it } from 'vitest';
import { presets } from '../../src/presets/registry.ts';
import type { PresetRequest } from '../../src/presets/preset.ts';

it.each<[string, Partial<PresetRequest>, string[]]>([
  ['node', { app: 'server.js' }, ['node', 'server.js']],
  ['gunicorn', { app: 'shop:app' }, ['gunicorn', '--workers', '1', 'shop:app']],
  ['gunicorn', { app: 'shop:app', workers: 4 }, ['gunicorn', '--workers', '4', 'shop:app']],
  ['uwsgi', { file: '/v/my shop.ini' }, ['uwsgi', '--ini', '/v/my shop.ini', '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all']],
  ['uwsgi', { file: '/v/shop.yml' }, ['uwsgi', '--yaml', '/v/shop.yml', '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all']],
])('%s is started for %j', (name, request, argv) => {
  expect(presets().get(name)?.argv({ app: '', workers: null, file: '/v/shop.toml', ...request })).toEqual(argv);
});

it('knows each preset by its own name', () => {
  expect([...presets()].map(([name, preset]) => [name, preset.name])).toEqual([['gunicorn', 'gunicorn'], ['node', 'node'], ['uwsgi', 'uwsgi']]);
});

it.each([...presets().values()])('$name stops by TERM, which it takes gracefully', (preset) => {
  expect(preset).toMatchObject({ stopSignal: 'SIGTERM', stopTimeoutMs: 30_000, ready: { kind: 'after', ms: 1000 } });
});
