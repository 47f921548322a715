import { expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Probe, Target } from '../../src/core/spec.ts';
import { faultsOf, specOf } from './context.ts';

const toml = (...lines: string[]) => `[vassal]\ncommand = "a"\n${lines.join('\n')}`;
const LISTEN: Target = { kind: 'listen' };
const tcpAt = (host: string, port: number): Address => ({ kind: 'tcp', host, port, v6only: false });
const at = (address: Address): Target => ({ kind: 'address', address });
const unix = (path: string) => at({ kind: 'unix', path });

/** The probe of `ready` and of `health`, which say the same. */
function probesOf(asks: string, ...lines: string[]): readonly (Probe | null)[] {
  const { ready, health } = specOf('/v/a.toml', toml(...lines, `ready.${asks}`, `health.${asks}`));
  return [ready.kind === 'probe' ? ready.probe : null, health?.probe ?? null];
}

it.each([
  ['/up', LISTEN, '/up'],
  ['/up?deep=1&x=%%20', LISTEN, '/up?deep=1&x=%20'],
  ['http://127.0.0.1:9000/up', at(tcpAt('127.0.0.1', 9000)), '/up'],
  ['http://127.0.0.1:9000', at(tcpAt('127.0.0.1', 9000)), '/'],
  ['http://127.0.0.1/up', at(tcpAt('127.0.0.1', 80)), '/up'],
  ['http://[::1]:9000/up', at(tcpAt('::1', 9000)), '/up'],
  ['http://unix:/run/x.sock:/up', unix('/run/x.sock'), '/up'],
  ['http://unix:/run/x.sock', unix('/run/x.sock'), '/'],
  ['http://unix:/run/x.sock:', unix('/run/x.sock'), '/'],
  ['http://unix:x.sock:/up:1', unix('/v/x.sock'), '/up:1'],
])('http = "%s" asks %j for %s', (url, target, path) => {
  const probe: Probe = { kind: 'http', target, path, status: [200, 399], body: null };
  expect(probesOf(`http = "${url}"`, 'listen = "127.0.0.1:8000"')).toEqual([probe, probe]);
});

it.each([
  ['up', 'write "/up"'],
  ['https://127.0.0.1/up', 'it is asked without TLS: write "http://…"'],
  ['http://localhost:9000/up', 'write "http://127.0.0.1:9000/up"'],
  ['http://shop.example/up', 'a name may mean several addresses: write the one that you mean'],
  ['/a b', null], ['/a#b', null], ['/ä', null], ['http://127.0.0.1:0/', null], ['http://', null], ['http://unix:/run/:/up', null], ['http://unix::/up', null], ['http://127.0.0.1:9000?x', null], ['127.0.0.1:9000/up', null], ['', null],
])('http is not written "%s" (%s)', (url, hint) => {
  const [fault, another] = faultsOf('/v/a.toml', toml('listen = ":80"', `ready.http = "${url}"`));
  expect(fault).toBe(`E_VALUE "ready.http" wants a path or a URL, not "${url}" at /v/a.toml:4; ${hint ?? 'write "/path", "http://127.0.0.1:9000/path" or "http://unix:/run/shop.sock:/path"'}`);
  expect(another).toBeUndefined();
});

it.each([
  ['127.0.0.1:8000', '127.0.0.1:8000'],
  ['0.0.0.0:8000', '127.0.0.1:8000'],
  [':8000', '127.0.0.1:8000'],
  [':8000', '[::1]:8000'],
  [':8000', ':8000'],
  ['127.0.0.1:8000', '0.0.0.0:8000'],
  ['unix:x.sock', 'unix:/v/x.sock'],
])('with listen = "%s" a probe of "%s" asks the generation itself', (listen, address) => {
  expect(probesOf(`tcp = "${address}"`, `listen = "${listen}"`)).toEqual([{ kind: 'tcp', target: LISTEN }, { kind: 'tcp', target: LISTEN }]);
});

it.each([
  ['listen = "127.0.0.1:8000"', '127.0.0.1:8001'],
  ['listen = "127.0.0.1:8000"', '127.0.0.2:8000'],
  ['listen = "0.0.0.0:8000"', '[::1]:8000'],
  ['listen = { address = ":8000", v6only = true }', '127.0.0.1:8000'],
  ['listen = "unix:x.sock"', 'unix:y.sock'],
  ['listen = "unix:x.sock"', '127.0.0.1:8000'],
  ['listen = ":8000"\npass = "port"', '127.0.0.1:8000'],
  ['', '127.0.0.1:8000'],
])('with %j a probe of "%s" asks that address', (listen, address) => {
  for (const probe of probesOf(`tcp = "${address}"`, listen)) expect(probe).toMatchObject({ kind: 'tcp', target: { kind: 'address' } });
});

it('asks the address itself where the instances open it', () => {
  const target = at(tcpAt('127.0.0.1', 8000));
  const lines = ['listen = "127.0.0.1:8000"', 'pass = "port"'];
  expect(probesOf('tcp = true', ...lines)).toEqual([{ kind: 'tcp', target }, { kind: 'tcp', target }]);
  expect(probesOf('http = "/"', ...lines)).toMatchObject([{ kind: 'http', target }, { kind: 'http', target }]);
  expect(specOf('/v/a.toml', `[vassal]\nserver = "gunicorn"\napp = "a"\n${lines.join('\n')}`).ready).toMatchObject({ kind: 'probe', probe: { kind: 'tcp', target } });
});

it.each(['tcp = true', 'http = "/"'])('%s needs somebody to ask', (asks) => {
  expect(faultsOf('/v/a.toml', toml(`ready.${asks}`, `health.${asks}`))).toMatchObject([/^E_KEY_CONFLICT "ready\.\w+" asks .* at \/v\/a.toml:3/, /^E_KEY_CONFLICT "health\.\w+" asks .* at \/v\/a.toml:4/]);
});

it.each([
  ['"200"', [200, 200]], ['200', [200, 200]], ['"200-299"', [200, 299]], ['"404-404"', [404, 404]],
])('a status of %s is %j', (text, status) => {
  expect(specOf('/v/a.toml', toml('listen = ":80"', `ready = { http = "/", status = ${text} }`)).ready).toMatchObject({ probe: { status } });
});

it.each(['"99"', '"600"', '"299-200"', '"200-"', '"200 - 299"', '"2xx"', '[200, 299]', 'true'])('a status is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml('listen = ":80"', `ready = { http = "/", status = ${text} }`))).toMatchObject([/^E_VALUE "ready.status" wants a status/]);
});

it.each([
  ['after = "3s"', { kind: 'after', ms: 3000 }],
  ['log = "^listening on \\\\d+$"', { kind: 'log', pattern: '^listening on \\d+$' }],
  ['notify = true', { kind: 'notify' }],
  ['command = "test -e %n"', { kind: 'probe', probe: { kind: 'command', argv: ['test', '-e', 'a'] }, intervalMs: 50, timeoutMs: 5000 }],
  ['tcp = true, interval = "1s", timeout = "2s"', { kind: 'probe', probe: { kind: 'tcp', target: LISTEN }, intervalMs: 1000, timeoutMs: 2000 }],
  ['tcp = true, notify = false', { kind: 'probe', probe: { kind: 'tcp', target: LISTEN }, intervalMs: 50, timeoutMs: 5000 }],
  ['notify = false', { kind: 'after', ms: 1000 }],
  ['tcp = false', { kind: 'after', ms: 1000 }],
])('ready = { %s } is %j', (table, ready) => {
  expect(specOf('/v/a.toml', toml('listen = ":80"', `ready = { ${table} }`)).ready).toEqual(ready);
});

it('waits for a server to accept where it has sockets, else for it to stay alive', () => {
  const gunicorn = '[vassal]\nserver = "gunicorn"\napp = "a"\n';
  expect(specOf('/v/a.toml', gunicorn).ready).toEqual({ kind: 'after', ms: 1000 });
  expect(specOf('/v/a.toml', `${gunicorn}listen = ":80"`).ready).toMatchObject({ kind: 'probe', probe: { kind: 'tcp', target: LISTEN } });
  expect(specOf('/v/a.toml', toml('listen = ":80"')).ready).toEqual({ kind: 'after', ms: 1000 });
});

it.each([
  ['after = "1s", log = "x", notify = true', ['E_KEY_CONFLICT "ready.after" and "ready.log" and "ready.notify" exclude each other at /v/a.toml:4; keep one of them']],
  ['notify = true, body = "x", timeout = "1s"', ['E_KEY_CONFLICT "ready.body" is of no use without "ready.http" at /v/a.toml:4; remove it', 'E_KEY_CONFLICT "ready.timeout" is of no use: nothing is asked at /v/a.toml:4; it goes with "ready.http", "ready.tcp", "ready.command"']],
  ['tcp = true, status = 200', ['E_KEY_CONFLICT "ready.status" is of no use without "ready.http" at /v/a.toml:4; remove it']],
  ['notify = "maybe"', ['E_VALUE "ready.notify" wants true or false, not "maybe" at /v/a.toml:4; write true or false']],
  ['interval = "1s"', ['E_KEY_MISSING "ready" does not say what to wait for at /v/a.toml:4; with one of "after", "http", "tcp", "command", "log", "notify"']],
  ['tcp = true, interval = "1ms"', ['E_VALUE "ready.interval" wants a duration of at least 10 ms, not "1ms" at /v/a.toml:4; write "500ms", "30s", "5m" or "1h"']],
  [`log = "${'x'.repeat(1001)}"`, [expect.stringMatching(/^E_VALUE "ready.log" wants a regular expression of at most 1000 characters/)]],
])('ready = { %s } has its faults', (table, faults) => {
  expect(faultsOf('/v/a.toml', toml('listen = ":80"', `ready = { ${table} }`))).toEqual(faults);
});

it.each([
  ['tcp = true', { probe: { kind: 'tcp', target: LISTEN }, intervalMs: 10_000, timeoutMs: 5000, failures: 3, graceMs: 0, watchdogMs: null }],
  ['watchdog = "5s"', { probe: null, intervalMs: 10_000, timeoutMs: 5000, failures: 3, graceMs: 0, watchdogMs: 5000 }],
  ['tcp = false, watchdog = "5s"', { probe: null, intervalMs: 10_000, timeoutMs: 5000, failures: 3, graceMs: 0, watchdogMs: 5000 }],
])('health = { %s } is %j', (table, health) => {
  expect(specOf('/v/a.toml', toml('listen = ":80"', `health = { ${table} }`)).health).toEqual(health);
});

it.each([
  ['http = "/", command = "b"', ['E_KEY_CONFLICT "health.http" and "health.command" exclude each other at /v/a.toml:4; keep one of them']],
  ['watchdog = "5s", failures = 2', ['E_KEY_CONFLICT "health.failures" is of no use: nothing is asked at /v/a.toml:4; it goes with "health.http", "health.tcp", "health.command"']],
  ['tcp = false', ['E_KEY_MISSING "health" does not say what is asked at /v/a.toml:4; with one of "http", "tcp", "command", "watchdog"']],
  ['watchdog = "50ms"', ['E_VALUE "health.watchdog" wants a duration of at least 100 ms, not "50ms" at /v/a.toml:4; write "500ms", "30s", "5m" or "1h"']],
  ['htpp = "/"', ['E_KEY_MISSING "health" does not say what is asked at /v/a.toml:4; with one of "http", "tcp", "command", "watchdog"', 'E_KEY_UNKNOWN unknown key "health.htpp" at /v/a.toml:4; did you mean "http"?']],
])('health = { %s } has its faults', (table, faults) => {
  expect([...faultsOf('/v/a.toml', toml('listen = ":80"', `health = { ${table} }`))].sort()).toEqual(faults);
});
