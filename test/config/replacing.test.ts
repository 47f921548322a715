import { expect, it } from 'vitest';
import { faultsOf, specOf } from './context.ts';

const toml = (...lines: string[]) => `[vassal]\ncommand = "a"\n${lines.join('\n')}`;

it.each([
  ['a.toml', toml(), 'restart'],
  ['a.toml', toml('listen = ":80"'), 'overlap'],
  ['a.toml', toml('listen = "unix:s"', 'pass = "fds"'), 'overlap'],
  ['a.toml', toml('listen = ":80"', 'pass = "port"'), 'restart'],
  ['a.toml', toml('listen = ":80"', 'reload = "restart"'), 'restart'],
  ['a.toml', toml('reload = "overlap"'), 'overlap'],
  ['a.ini', '[uwsgi]\nmaster = 1', 'channel'],
  ['a.ini', '[uwsgi]\nmaster = 1\n[vassal]\nreload = signal', 'signal'],
  ['a.ini', '[uwsgi]\nmaster = 1\n[vassal]\nlisten = 127.0.0.1:80', 'overlap'],
  ['a.ini', '[uwsgi]\nmaster = 1\n[vassal]\nlisten = 127.0.0.1:80\nreload = signal', 'signal'],
])('%s with %j is reloaded by %s', (name, text, kind) => {
  expect(specOf(`/v/${name}`, text).reload.kind).toBe(kind);
});

it.each([
  ['"5%"', 0.05], ['"0.5%"', 0.005], ['0.05', 0.05], ['"99.5%"', 0.995], ['"0.5"', 0.5],
])('a share of %s is %d', (text, share) => {
  expect(specOf('/v/a.toml', toml('listen = ":80"', `canary = { share = ${text}, for = "1m" }`)).canary).toEqual({ share, forMs: 60_000 });
});

it.each(['"0%"', '0', '"100%"', '1', '"5 %"', '"-5%"', '"5%%%%"', '"a%"', '""', 'true'])('a share is not written %s', (text) => {
  expect(faultsOf('/v/a.toml', toml('listen = ":80"', `canary = { share = ${text} }`))).toMatchObject([/^E_VALUE "canary.share" wants a share/]);
});

it('sends 5 % to a canary for a minute where nothing else is said', () => {
  expect(specOf('/v/a.toml', toml('listen = ":80"', 'canary = {}')).canary).toEqual({ share: 0.05, forMs: 60_000 });
});

it.each([
  [['canary = {}'], '"canary" needs a TCP address in "listen"'],
  [['canary = {}', 'listen = "unix:s"'], '"canary" needs a TCP address in "listen"'],
  [['canary = {}', 'listen = ":80"', 'pass = "port"'], '"canary" needs a TCP address in "listen"'],
  [['canary = {}', 'listen = ":80"', 'reload = "signal"'], '"canary" is of no use with reload = "signal"'],
  [['roll = true'], '"roll" is of no use with reload = "restart"'],
  [['roll = true', 'listen = ":80"', 'pass = "port"'], '"roll" is of no use with reload = "restart"'],
  [['reload-signal = "HUP"', 'listen = ":80"'], '"reload-signal" is of no use with reload = "overlap"'],
])('%j is a conflict: %s', (lines, message) => {
  expect(faultsOf('/v/a.toml', toml(...lines))).toMatchObject([new RegExp(`^E_KEY_CONFLICT ${message.replaceAll('.', '\\.')}`)]);
});

it.each([['roll = false'], ['canary = {}', 'listen = [":80", "unix:s"]'], ['roll = true', 'reload = "overlap"'], ['linger = "0"', 'rollback = false']])('%j is no conflict', (...lines) => {
  expect(faultsOf('/v/a.toml', toml(...lines))).toEqual([]);
});

it.each([['instances = 0'], ['instances = 1001'], ['instances = "two"']])('%s is no number of instances', (line) => {
  expect(faultsOf('/v/a.toml', toml(line))).toMatchObject([/^E_VALUE "instances" wants a whole number from 1 to 1000/]);
});
