import { cpSync, readFileSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Daemon, makePlace } from './daemon.ts';
import { freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';

const EXAMPLES = new URL('../../vassals', import.meta.url).pathname;

/** A daemon beside the example apps, with one example file deployed on another port. */
async function deploy(example: string, file: string, port: string): Promise<{ readonly daemon: Daemon; readonly port: number; readonly path: string }> {
  const place = makePlace();
  cpSync(join(EXAMPLES, 'apps'), join(place.vassals, 'apps'), { recursive: true });
  const daemon = await Daemon.start(place);
  const free = await freePort();
  const text = readFileSync(join(EXAMPLES, example), 'utf8');
  expect(text).toContain(port);
  const path = daemon.write(file, text.replaceAll(port, String(free)));
  return { daemon, port: free, path };
}

it.each([
  { server: 'a Node server (yaml)', example: 'hello.yaml', file: 'hello.yaml', port: '18701', says: 'hello from vassal hello', program: 'node', from: 'nodejs' },
  { server: "Python's wsgiref (json)", example: 'python.json', file: 'python.json', port: '18702', says: 'hello from Python', program: 'python3', from: 'python3' },
  { server: 'Flask under gunicorn (toml)', example: 'flask.toml.disabled', file: 'flask.toml', port: '18703', says: 'hello from Flask', program: 'gunicorn', from: 'gunicorn python3-flask' },
  { server: 'Django under uWSGI (a plain uWSGI ini)', example: 'django.ini.disabled', file: 'django.ini', port: '18704', says: 'hello from Django', program: 'uwsgi', from: 'uwsgi-core uwsgi-plugin-python3 python3-django' },
])('$server: deploys, serves, reloads at a touch, stops when its file is removed', async ({ example, file, port: given, says, program, from }) => {
  needs(program, from);
  const { daemon: started, port, path } = await deploy(example, file, given);
  await using daemon = started;
  const name = file.slice(0, file.lastIndexOf('.'));
  expect(await untilAnswer(port)).toContain(says);
  const first = await daemon.untilState(name, 'ready');
  expect(first.revision).toBe(1);

  const before = (await daemon.events(name)).length;
  utimesSync(path, new Date(), new Date());
  await daemon.until(() => true, 'an answer');
  await daemon.untilState(name, 'ready');
  expect(await untilAnswer(port)).toContain(says);
  const after = (await daemon.events(name)).slice(before).map((each) => each.event);
  expect(after.filter((each) => each === 'touched')).toHaveLength(1);

  unlinkSync(path);
  await daemon.until((status) => status.vassals.length === 0, `${name} is forgotten`);
  expect(daemon.survivors()).toEqual([]);
}, 60_000);

it('runs one template under twenty names, each a vassal that uses %n', async () => {
  const place = makePlace();
  cpSync(join(EXAMPLES, 'apps'), join(place.vassals, 'apps'), { recursive: true });
  await using daemon = await Daemon.start(place);
  const template = join(place.folder, 'template.toml');
  writeFileSync(template, ['[vassal]', 'command = ["node", "apps/tick.mjs", "I am %n"]', 'ready = { after = "50ms" }', ''].join('\n'));
  const names = Array.from({ length: 20 }, (_, each) => `copy-${each}`);
  for (const name of names) symlinkSync(template, join(place.vassals, `${name}.toml`));
  await daemon.until((status) => status.vassals.filter((each) => each.state === 'ready').length === 20, 'twenty are ready');
  for (const name of names) {
    const { stdout } = await daemon.cli('logs', '-n', '10', name);
    expect(stdout).toContain(`I am ${name} 1`);
  }
}, 60_000);
