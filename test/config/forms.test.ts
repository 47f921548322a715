import { expect, it } from 'vitest';
import { faultsOf, specOf } from './context.ts';

const toml = (line: string) => `[vassal]\ncommand = "a"\n${line}`;

it.each([
  ['"0"', 0], ['0', 0], ['"0s"', 0], ['"1ms"', 1], ['"30s"', 30_000], ['"1.5s"', 1500], ['"5m"', 300_000], ['"2h"', 7_200_000],
])('a duration of %s is %i ms', (text, ms) => {
  expect(specOf('/v/a.toml', toml(`stop-timeout = ${text}`)).stopTimeoutMs).toBe(ms);
});

it.each(['"30"', '30', '1.5', '"-1s"', '"30 s"', '"30S"', '"30sec"', '"1m30s"', '"9999999h"', '""', 'true', '["1s"]', '"1e3s"'])('a duration is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml(`stop-timeout = ${text}`))).toMatchObject([/^E_VALUE "stop-timeout" wants a duration/]);
});

it.each([
  ['"64M"', 64 * 2 ** 20], ['"512K"', 512 * 1024], ['"1G"', 2 ** 30], ['"1g"', 2 ** 30], ['"4096"', 4096], ['4096', 4096],
])('a size of %s is %i bytes', (text, bytes) => {
  expect(specOf('/v/a.toml', toml(`log.max-size = ${text}`)).log.maxBytes).toBe(bytes);
});

it.each(['0', '"0M"', '"-1M"', '"64MB"', '"64 M"', '"1.5G"', '"M"', 'true', '"9999999999G"'])('a size is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml(`log.max-size = ${text}`))).toMatchObject([/^E_VALUE "log.max-size" wants a size/]);
});

it.each(['TERM', 'SIGTERM', 'sigterm', 'Term'])('a signal may be written %s', (text) => {
  expect(specOf('/v/a.toml', toml(`stop-signal = "${text}"`)).stopSignal).toBe('SIGTERM');
});

it.each(['SIGSIGTERM', 'STOP', '15', ''])('a signal is not written "%s"', (text) => {
  expect(faultsOf('/v/a.toml', toml(`stop-signal = "${text}"`))).toMatchObject([/^E_VALUE "stop-signal" wants a signal/]);
});

it.each([
  ['a.toml', toml('umask = 0o022'), 0o22],
  ['a.toml', toml('umask = "022"'), 0o22],
  ['a.toml', toml('umask = "22"'), 0o22],
  ['a.toml', toml('umask = 0'), 0],
  ['a.yaml', 'vassal: {command: a, umask: 022}', 0o22],
  ['a.yaml', 'vassal: {command: a, umask: 0o077}', 0o77],
  ['a.ini', '[vassal]\ncommand = a\numask = 0777', 0o777],
])('%s with %j has the umask %i', (name, text, umask) => {
  expect(specOf(`/v/${name}`, text).umask).toBe(umask);
});

it.each(['22', '18', '"888"', '"1777"', '"u=rwx"', '""', 'true'])('a umask is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml(`umask = ${text}`))).toMatchObject([/^E_VALUE "umask" wants an octal umask/]);
});

it.each([
  ['a.toml', toml('user = 1000'), '1000'],
  ['a.toml', toml('user = "www-data"'), 'www-data'],
  ['a.yaml', 'vassal: {command: a, user: 1000}', '1000'],
])('%s may name a user by number or name', (name, text, user) => {
  expect(specOf(`/v/${name}`, text).user).toBe(user);
});

it.each(['""', '-1', '"a b"', '"a:b"', '1.5', 'true', '"-x"'])('a user is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml(`user = ${text}`))).toMatchObject([/^E_VALUE "user"/]);
});

it.each([
  ['relative', '/etc/v/relative'], ['./a/../b//c/', '/etc/v/b/c'], ['../x', '/etc/x'], ['../../../..', '/'], ['/abs/./x', '/abs/x'], ['.', '/etc/v'],
])('the path %s of a file in /etc/v is %s', (text, path) => {
  const spec = specOf('/etc/v/a.toml', toml(`directory = "${text}"\nenvironment-file = "${text}"`));
  expect([spec.directory, spec.environmentFile]).toEqual([path, path]);
});

it.each([
  ['a.toml', toml('environment = { A = "1", B = 2, C = true, D = 1.10, E = "" }'), { A: '1', B: '2', C: 'true', D: '1.10', E: '' }],
  ['a.toml', toml('environment = ["A=1", "B=x=y", "A=2"]'), { A: '2', B: 'x=y' }],
  ['a.toml', toml('environment = "A=1"'), { A: '1' }],
  ['a.yaml', 'vassal: {command: a, environment: {A: no, B: 0x10, C: 1.10}}', { A: 'no', B: '0x10', C: '1.10' }],
  ['a.ini', '[vassal]\ncommand = a\nenvironment = A=1\nenvironment = B = 2 \nenvironment.C = x = y\nenvironment.D', { A: '1', B: ' 2', C: 'x = y', D: '' }],
  ['a.xml', '<vassal><command>a</command><environment><A>1</A><B/></environment><environment>C=3</environment></vassal>', { A: '1', B: '', C: '3' }],
])('%s with %j gives an environment', (name, text, environment) => {
  expect(specOf(`/v/${name}`, text).environment).toEqual(environment);
});

it('keeps a variable that is called __proto__', () => {
  const { environment } = specOf('/v/a.json', '{"vassal": {"command": "a", "environment": {"__proto__": "x"}}}');
  expect([Object.keys(environment), Object.getPrototypeOf(environment)]).toEqual([['__proto__'], Object.prototype]);
});

it.each([
  ['a.toml', '[vassal]\ncommand = ["node", "a b.js", ""]', ['node', 'a b.js', '']],
  ['a.toml', '[vassal]\ncommand = "node \'a b.js\'"', ['node', 'a b.js']],
  ['a.ini', '[vassal]\ncommand = node "a b.js" ; c', null],
  ['a.ini', '[vassal]\ncommand = node\ncommand = a b.js', ['node', 'a b.js']],
  ['a.yaml', 'vassal:\n  command: [sleep, 5]', ['sleep', '5']],
  ['a.xml', '<vassal><command>node a.js</command></vassal>', ['node', 'a.js']],
])('%s with %j is a command', (name, text, argv) => {
  if (argv === null) expect(faultsOf(`/v/${name}`, text)).toHaveLength(1);
  else expect(specOf(`/v/${name}`, text).argv).toEqual(argv);
});

it.each(['command = ""', 'command = " "', 'command = [""]', 'command = 5', 'command = { a = 1 }', 'command = [["a"]]', 'command = "\'\' a"'])('%s is no command', (line) => {
  expect(faultsOf('/v/a.toml', `[vassal]\n${line}`)).toMatchObject([/^E_VALUE .*command/]);
});
