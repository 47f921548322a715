import { describe, expect, it } from 'vitest';
import { TYRANT_KEYS } from '../../src/config/tyrant.ts';
import { TYRANT_OPTIONS } from '../../src/config/tyrant-options.ts';
import { VASSAL_KEYS } from '../../src/config/schema.ts';
import { parseVassal } from '../../src/config/vassal.ts';
import type { Basis } from '../../src/core/basis.ts';
import { printFault } from '../../src/core/fault.ts';
import type { Outcome, VassalId } from '../../src/core/listing.ts';
import { CONTEXT } from './context.ts';

const OWNER: Basis = { owner: { uid: 1001, gid: 1002 } };

function parse(file: string, text: string, basis: Basis | undefined = OWNER): Outcome {
  const tyrant = { keys: new Set(TYRANT_KEYS), options: new Set(TYRANT_OPTIONS), nofollow: false, personOf: () => ({ user: 'alice', group: 'staff' }) };
  return parseVassal({ id: file as VassalId, text, ...(basis === undefined ? {} : { basis }) }, { ...CONTEXT, tyrant });
}

function faultsOf(file: string, text: string, basis?: Basis): readonly string[] {
  const outcome = parse(file, text, basis);
  return outcome.ok ? [] : outcome.faults.map((fault) => `${fault.code} ${printFault(fault)}`);
}

it('a file runs as its owner, and placeholders are those of the owner', () => {
  const outcome = parse('/v/shop.toml', '[vassal]\ncommand = ["%U", "%u", "%G", "%g", "$(PATH)"]\n', OWNER);
  expect(outcome).toMatchObject({ ok: false });
  const good = parse('/v/shop.toml', '[vassal]\ncommand = ["%U", "%u", "%G", "%g"]\n');
  expect(good).toMatchObject({ ok: true, spec: { argv: ['alice', '1001', 'staff', '1002'], user: '1001', group: '1002', owned: { file: '/v/shop.toml', owner: OWNER.owner, writes: [] } } });
});

it('the emperor\'s environment is not for owners', () => {
  expect(faultsOf('/v/shop.toml', '[vassal]\ncommand = ["/bin/x", "$(PORT)"]\n')).toEqual([expect.stringContaining('PORT')]);
});

it.each([
  [{ owner: { uid: 0, gid: 5 } }, 'belongs to root'],
  [{ owner: { uid: 5, gid: 0 } }, 'belongs to the group root'],
  [{}, 'from before tyrant mode'],
])('with the basis %j a text is nobody\'s', (basis, message) => {
  expect(faultsOf('/v/shop.toml', '[vassal]\ncommand = "/bin/x"\n', basis)).toEqual([expect.stringContaining(message)]);
});

it('a key that nobody has thought about is refused', () => {
  const refused = Object.keys(VASSAL_KEYS).filter((key) => !TYRANT_KEYS.includes(key));
  expect(refused).toEqual(expect.arrayContaining(['user', 'group', 'limits', 'log', 'backoff', 'runner', 'systemd', 'hooks']));
  expect(TYRANT_KEYS.filter((key) => !Object.hasOwn(VASSAL_KEYS, key))).toEqual([]);
});

it('the defaults of root may say what owners may not', () => {
  const basis: Basis = { ...OWNER, defaults: { file: '/v/_defaults.toml', text: '[vassal]\nlimits = { tasks = 10 }\nlog = { keep = 1 }\n' } };
  expect(parse('/v/shop.toml', '[vassal]\ncommand = "/bin/x"\n', basis)).toMatchObject({ ok: true, spec: { limits: { tasks: 10 }, log: { keep: 1 } } });
  expect(faultsOf('/v/shop.toml', '[vassal]\ncommand = "/bin/x"\nlimits = { tasks = 99 }\n', basis)).toEqual([expect.stringContaining('/v/shop.toml:3')]);
});

describe('what uWSGI is told', () => {
  it.each([
    ['/v/a.ini', '[uwsgi]\nmodule = shop\n\nuid = root\n', 4],
    ['/v/a.ini', '[uwsgi]\nmodule = shop\n[other]\nuid = root\n', 4],
    ['/v/a.ini', '[other]\nuid = root\n[uwsgi]\nmodule = shop\n', 2],
    ['/v/a.ini', '[uwsgi]\nmodule = shop\nuid\n', 3],
    ['/v/a.ini', '[uwsgi]\nuid = %(x)\nuid = root\n', 2],
    ['/v/a.yaml', 'uwsgi:\n  module: shop\n  uid: root\n', 3],
    ['/v/a.json', '{"uwsgi": {\n"module": "shop",\n"uid": ["a", "root"]}}', 3],
    ['/v/a.xml', '<uwsgi>\n<module>shop</module>\n<uid>root</uid></uwsgi>', 3],
    ['/v/a.xml', '<all><uwsgi id="b">\n<uid>root</uid></uwsgi><vassal/></all>', 2],
  ])('%s: %j', (file, text, line) => {
    expect(faultsOf(file, text)).toContainEqual(`E_TYRANT uWSGI's option "uid" is not for a file that runs as its owner at ${file}:${line}; remove it: the instance runs as the owner of the file`);
  });

  it.each([
    ['socket = /run/a.sock', ['/run/a.sock']],
    ['logto = log/%n.log', ['/v/log/shop.log']],
    ['logger = file:/var/x', ['/var/x']],
    ['stats = 127.0.0.1:1717', []],
    ['http-socket = :8080', []],
    ['socket = @abstract', []],
    ['socket = fd://3', []],
    ['chdir = /etc', []],
    ['daemonize = $(HOME)/x', 'E_PLACEHOLDER'],
  ])('%s writes %j', (line, writes) => {
    const outcome = parse('/v/shop.ini', `[uwsgi]\n${line}\n`);
    if (typeof writes === 'string') expect(outcome).toMatchObject({ ok: false, faults: [{ code: writes }] });
    else expect(outcome.ok && outcome.spec.owned?.writes.map(({ path }) => path)).toEqual(writes);
  });

  it('of 10,000 lines is told in no time, whatever they say', () => {
    const lines = (name: (at: number) => string): string => `[uwsgi]\n${Array.from({ length: 10_000 }, (_, at) => `${name(at)} = 1`).join('\n')}\n`;
    const start = performance.now();
    expect(faultsOf('/v/shop.ini', lines(() => 'env'))).toEqual([]);
    expect(faultsOf('/v/shop.ini', lines((at) => `unknown-option-${at}`))).toHaveLength(100);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('with NULs is no text', () => {
    expect(faultsOf('/v/shop.ini', '[uwsgi]\nmodule = a\0b\n')).toEqual([expect.stringContaining('E_FILE_BINARY')]);
  });
});

it('sockets of a uWSGI file that are taken over are opened by the emperor, and by its rules', () => {
  const text = (socket: string, ...more: readonly string[]): string => ['[uwsgi]', `socket = ${socket}`, ...more, '[vassal]', 'adopt-sockets = true', ''].join('\n');
  expect(parse('/v/shop.ini', text('/run/vassals/alice/shop.sock'))).toMatchObject({ ok: true, spec: { owned: { writes: [] }, listen: [{ address: { path: '/run/vassals/alice/shop.sock' } }] } });
  expect(faultsOf('/v/shop.ini', text('127.0.0.1:80'))).toEqual([expect.stringContaining('port 80 is not for a file that runs as its owner')]);
  expect(faultsOf('/v/shop.ini', text('127.0.0.1:8000', 'chown-socket = root'))).toEqual([expect.stringContaining('"chown-socket" is not for a file that runs as its owner')]);
});
