import type { UnitSpec } from '../core/spec.ts';
import { tellConflict, type Asked } from './asked.ts';
import { refuse, single, type Form, type Place } from './form.ts';
import type { Node } from './tree.ts';

/** The value of a property, as it is written in a unit file. */
const VALUE: Form<string> = single({
  label: 'the value of a property',
  hint: 'write it as in a unit file, in quotes',
  parse: (text, written) => ((written === 'other' && text !== 'true' && text !== 'false') || text.includes('\n') ? undefined : text),
});

/** Properties by which an instance is held and observed, and where a file says the same. null: nowhere. */
const TAKEN: Readonly<Record<string, string | null>> = {
  Type: null, ExecStart: 'command', ExecStartPre: null, ExecStartPost: null, ExecCondition: null, ExecReload: 'reload', ExecStop: 'stop-signal', ExecStopPost: null,
  RemainAfterExit: null, Restart: 'restart', StandardInput: null, StandardOutput: 'log', StandardError: 'log', NotifyAccess: 'ready', PIDFile: null,
  Environment: 'environment', EnvironmentFile: 'environment-file', User: 'user', Group: 'group', UMask: 'umask', WorkingDirectory: 'directory',
  KillSignal: 'stop-signal', TimeoutStopSec: 'stop-timeout', WatchdogSec: 'health', Sockets: 'listen',
};

/** Properties of a unit: a table, in which a list stands for a property that is given several times. */
export const UNIT: Form<readonly string[]> = {
  label: 'a table of properties and values',
  hint: 'write { ProtectSystem = "strict" }',
  read(node, place) {
    if (node.kind !== 'table') return refuse(place, `"${place.key}" wants ${UNIT.label}`, UNIT.hint);
    const properties: string[] = [];
    let good = true;
    for (const [name, { line, value }] of node.entries) {
      const inner = { ...place, key: `${place.key}.${name}`, line };
      const values = isFree(name, inner) ? valuesOf(value, inner) : undefined;
      if (values === undefined) good = false;
      else properties.push(...values.map((each) => `${name}=${each}`));
    }
    return good ? properties : undefined;
  },
};

function valuesOf(node: Node, place: Place): readonly string[] | undefined {
  const items = node.kind === 'list' ? node.items : [node];
  const read = items.map((item) => VALUE.read(item, { ...place, line: item.line }));
  const good = read.filter((each) => each !== undefined);
  return good.length === items.length ? good : undefined;
}

function isFree(name: string, place: Place): boolean {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) {
    refuse(place, `${JSON.stringify(name)} cannot be the name of a property`, 'names are those of unit files, for example "MemoryMax": systemd.directives(7)');
    return false;
  }
  if (!Object.hasOwn(TAKEN, name)) return true;
  const key = TAKEN[name] ?? null;
  refuse(place, `the property "${name}" is the emperor's own`, key === null ? 'remove it' : `use the key "${key}"`, 'E_KEY_CONFLICT');
  return false;
}

/** What unit an instance is; null: none. */
export function unitOf(asked: Asked): UnitSpec | null {
  const { runner, systemd } = asked.given;
  if (runner === 'systemd') return { properties: systemd ?? [] };
  if (asked.section.entries.has('systemd') && (runner !== undefined || !asked.section.entries.has('runner'))) tellConflict(asked, 'systemd', '"systemd" is for instances that systemd runs', 'write runner = "systemd"');
  return null;
}
