import { expect, it } from 'vitest';
import { printFault } from '../../src/core/fault.ts';
import { parseSettings } from '../../src/config/settings.ts';

const FILE = '/etc/emperor/emperor.toml';

it('reads every option, with paths from the folder of the file', () => {
  const text = `sources = ["/etc/emperor/vassals", "glob:///srv/*/vassal.ini"]
state = "/var/lib/emperor"
control = "control.sock"
logs = "../log"
control-group = "adm"
log-level = "debug"
rescan = "5m"`;
  expect(parseSettings(text, FILE)).toEqual({
    ok: true,
    settings: {
      sources: ['/etc/emperor/vassals', 'glob:///srv/*/vassal.ini'],
      state: '/var/lib/emperor',
      control: '/etc/emperor/control.sock',
      logs: '/etc/log',
      'control-group': 'adm',
      'log-level': 'debug',
      rescan: 300_000,
    },
  });
});

it.each(['', '# nothing', '\uFEFF'])('%j says nothing, which is fine', (text) => {
  expect(parseSettings(text, FILE)).toEqual({ ok: true, settings: {} });
});

it('takes one source for a list of one', () => {
  expect(parseSettings('sources = "/v/100%/$(x)"', FILE)).toEqual({ ok: true, settings: { sources: ['/v/100%/$(x)'] } });
});

it('tells all faults at once', () => {
  const outcome = parseSettings('log-level = "loud"\nstat = "/x"\nrescan = 0\nsources = [1]\n[vassal]\n', FILE);
  expect(outcome.ok ? [] : outcome.faults.map((fault) => `${fault.code} ${printFault(fault)}`)).toEqual([
    `E_VALUE "log-level" wants one of trace, debug, info, warn, error, not "loud" at ${FILE}:1; write "trace" or "debug" or "info" or "warn" or "error"`,
    `E_KEY_UNKNOWN unknown key "stat" at ${FILE}:2; did you mean "state"?`,
    `E_VALUE "rescan" wants a duration of at least 1000 ms, not "0" at ${FILE}:3; write "500ms", "30s", "5m" or "1h"`,
    `E_VALUE "sources" wants text, not "1" at ${FILE}:4; write it in quotes`,
    `E_KEY_UNKNOWN unknown key "vassal" at ${FILE}:5`,
  ]);
});
