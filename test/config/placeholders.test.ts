import { expect, it } from 'vitest';
import { faultsOf, specOf } from './context.ts';

const ini = (lines: string) => `[vassal]\ncommand = a\n${lines}`;

/** Compared with what uWSGI 2.0.21 prints for the same path. */
it.each([
  ['%o|%p', '/srv/my sites/sh op.x.ini|/srv/my sites/sh op.x.ini'],
  ['%s|%n|%e', 'sh op.x.ini|sh op.x|ini'],
  ['%d|%c|%v', '/srv/my sites/|my sites|/srv/my sites'],
  ['%O|%P|%S|%N|%E|%D|%C|%X', '/srv/my sites/sh op.x.ini|/srv/my sites/sh op.x.ini|sh op.x.ini|sh op.x|ini|/srv/my sites/|my sites|vassal'],
  ['%0|%1|%2|%9', 'srv|my sites||'],
  ['%x|%h|%k|%u|%U|%g|%G', 'vassal|forum|4|1000|caesar|100|senate'],
  ['100%%|%%n|%[', '100%|%n|\u001B'],
  ['100%', '100%'],
  ['$(HOME)/$(PORT)$(EMPTY).', '/home/caesar/8000.'],
  ['$(ODD)', '%n $(HOME) %(user)'],
  ['$HOME ${HOME} $', '$HOME ${HOME} $'],
  ['%(user)-%(umask)', 'caesar-022'],
  ['$(HOME:-/x) $(NOWHERE:-/x) $(NOWHERE:-)|$(EMPTY:-x)', '/home/caesar /x |'],
  ['%(umask + 3 * 2)', '50'],
  ['%(umask - 30)|%(umask / 3)|%(umask ++)|%(umask --)', '-8|7|23|21'],
  ['%(user + 3)|%(umask 3)|%(umask . 3)|%(5 + 2)', '3|0223|0223|7'],
])('%s stands for %s', (text, value) => {
  const spec = specOf('/srv/my sites/sh op.x.ini', ini(`umask = 022\nuser = %U\nenvironment.X = ${text}`));
  expect(spec.environment['X']).toBe(value);
});

it.each(['plain', 'with blank', `quote'"s`, 'line\nbreak', 'ünï-💥', '-rf', '$(HOME) %n; rm *', '__proto__'])('gives the name %j as one word, as it is', (name) => {
  const spec = specOf(`/v/${name}.ini`, '[vassal]\ncommand = run --name=%n "%n"');
  expect(spec.argv).toEqual(['run', `--name=${name}`, name]);
});

it('fills in every value, in lists and tables too', () => {
  const spec = specOf('/v/shop.toml', '[vassal]\ncommand = ["%n", "%(directory)"]\ndirectory = "/srv/%n"\nenvironment = { A = "%n" }\nstop-timeout = "%ks"\nlog = { keep = "%k" }');
  expect(spec).toMatchObject({ argv: ['shop', '/srv/shop'], environment: { A: 'shop' }, stopTimeoutMs: 4000, log: { keep: 4 } });
});

it('follows keys through keys', () => {
  expect(specOf('/v/shop.ini', ini('directory = /srv/%(user)\nuser = %(group)\ngroup = %n')).directory).toBe('/srv/shop');
});

it.each([
  ['directory = %(directory)', ['E_PLACEHOLDER placeholders go in a circle: directory → directory at /v/shop.ini:3']],
  ['directory = %(user)\nuser = %(group)\ngroup = %(user)', ['E_PLACEHOLDER placeholders go in a circle: user → group → user at /v/shop.ini:5']],
  ['user = %(nobody)\ngroup = %(user)', ['E_PLACEHOLDER %(nobody) is no key of this section at /v/shop.ini:3; write %% for a percent sign']],
  ['user = $(constructor)', ['E_PLACEHOLDER the emperor has no environment variable "constructor" at /v/shop.ini:3; write the $(…) of a shell with backquotes']],
  ['user = % x', ['E_PLACEHOLDER unknown placeholder "% " at /v/shop.ini:3; write %% for a percent sign']],
  ['user = %(group', ['E_PLACEHOLDER unknown placeholder "%(" at /v/shop.ini:3; write %% for a percent sign']],
  ['user = %(1 / 0)', ['E_PLACEHOLDER %(1 / 0) cannot be reckoned at /v/shop.ini:3; for example %(workers * 2)']],
  ['user = %(1 +)', ['E_PLACEHOLDER %(1 +) cannot be reckoned at /v/shop.ini:3; for example %(workers * 2)']],
  ['user = %(1 + x)', ['E_PLACEHOLDER %(x) is no key of this section at /v/shop.ini:3; write %% for a percent sign']],
  ['user = %t', ['E_PLACEHOLDER unknown placeholder "%t" at /v/shop.ini:3; write %% for a percent sign']],
])('tells once what is wrong with %j', (lines, faults) => {
  expect(faultsOf('/v/shop.ini', ini(lines))).toEqual(faults);
});

it('never shows the value of a variable', () => {
  expect(faultsOf('/v/shop.ini', ini('environment.SECRET = $(HOME)%q')).join()).not.toContain('caesar');
});

it('hashes the path as uWSGI 2.0.21 does', () => {
  expect(specOf('/tmp/tyr-m/a.ini', ini('environment.X = %j')).environment['X']).toBe('DDD347AB');
});
