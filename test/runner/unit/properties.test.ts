import { describe, expect, it } from 'vitest';
import { sawShortage } from '../../../src/runner/unit/memory-witness.ts';
import { choosesUser, unitProperties, type UnitFacts } from '../../../src/runner/unit/properties.ts';
import { parseUnits } from '../../../src/runner/unit/systemd-programs.ts';
import { specOf } from '../../fakes/declaration.ts';

const FACTS: UnitFacts = { user: null, group: null, emperor: null };
const NO_LIMITS = specOf().limits;
const propertiesOf = (changes: Parameters<typeof specOf>[0], properties: readonly string[] = [], facts: Partial<UnitFacts> = {}) =>
  unitProperties(specOf(changes), { properties }, { ...FACTS, ...facts });

describe('the properties of a unit', () => {
  it.each([
    ['its folder', { directory: '/srv/my shop' }, ['WorkingDirectory=/srv/my shop']],
    ['its umask', { umask: 0o27 }, ['UMask=0027']],
    ['how it is stopped', { stopSignal: 'SIGINT', stopTimeoutMs: 1_500 }, ['KillSignal=2', 'TimeoutStopSec=1500ms']],
    ['its limits', { limits: { memoryBytes: 2 ** 20, cpu: 0.5, tasks: 10, files: 99 } }, ['MemoryMax=1048576', 'MemorySwapMax=0', 'CPUQuota=50%', 'TasksMax=10', 'LimitNOFILE=99']],
    ['no limits where there are none', { limits: NO_LIMITS }, ['TasksMax=infinity']],
  ] as const)('say %s', (_what, changes, expected) => {
    expect(propertiesOf(changes)).toEqual(expect.arrayContaining([...expected]));
  });

  it('say who it is, and that it goes after its emperor when the host goes down', () => {
    expect(propertiesOf({}, [], { user: 'www-data', group: 'shop', emperor: 'emperor.service' })).toEqual(expect.arrayContaining(['User=www-data', 'Group=shop', 'Before=emperor.service']));
  });

  it('end in those of the file, which have the last word', () => {
    expect(propertiesOf({}, ['TasksMax=7', 'ProtectSystem=strict']).slice(-2)).toEqual(['TasksMax=7', 'ProtectSystem=strict']);
  });

  it('end in what the emperor takes from all instances, whatever the file says', () => {
    expect(propertiesOf({}, ['CapabilityBoundingSet=~'], { confinement: { noNewPrivileges: true, capabilities: ['net_bind_service', 'cap_5'] } }).slice(-3)).toEqual(['NoNewPrivileges=yes', 'CapabilityBoundingSet=', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE 5']);
  });

  it.each([
    [{ limits: { ...NO_LIMITS, memoryBytes: 1 } }, [], 1],
    [{}, ['MemoryMax=50M'], 1],
    [{}, ['MemoryMin=50M'], 0],
  ])('have somebody look for a lack of memory where there is a limit: %j %j', (changes, properties, count) => {
    expect(propertiesOf(changes, properties).filter((each) => each.startsWith('ExecStopPost='))).toHaveLength(count);
  });

  it.each([['DynamicUser=yes', true], ['DynamicUser=true', true], ['DynamicUser=no', false], ['DynamicUser=0', false], ['User=x', false]])('%s: systemd chooses the user: %s', (property, chooses) => {
    expect(choosesUser({ properties: [property] })).toBe(chooses);
  });
});

describe('what systemctl shows', () => {
  const unit = (fields: Readonly<Record<string, string>>): string =>
    Object.entries({ Id: 'a.service', LoadState: 'loaded', SubState: 'running', ExecMainPID: '7', ExecMainCode: '0', ExecMainStatus: '0', Result: 'success', ControlGroup: '/a', ...fields }).map(([name, value]) => `${name}=${value}`).join('\n');

  it.each([
    ['one that runs', {}, { ended: null, sub: 'running', pid: 7, cgroup: '/a', outOfMemory: false }],
    ['one that has ended', { ExecMainCode: '1', ExecMainStatus: '3' }, { ended: { kind: 'exited', code: 3 } }],
    ['one that was killed', { ExecMainCode: '2', ExecMainStatus: '9' }, { ended: { kind: 'killed', signal: 9 } }],
    ['one that has dumped its core', { ExecMainCode: '3', ExecMainStatus: '11' }, { ended: { kind: 'killed', signal: 11 } }],
    ['one that was short of memory', { Result: 'oom-kill' }, { outOfMemory: true }],
    ['one of which the witness says so', { ExecStopPost: '{ path=/bin/sh ; argv[]=/bin/sh -c x ; ignore_errors=yes ; pid=9 ; code=exited ; status=9 }' }, { outOfMemory: true }],
  ])('of %s', (_what, fields, expected) => {
    expect(parseUnits(unit(fields))).toEqual([expect.objectContaining(expected)]);
  });

  it('may be of several, or of none', () => {
    expect(parseUnits(`${unit({})}\n\n${unit({ Id: 'b.service' })}\n`).map((each) => each.unit)).toEqual(['a.service', 'b.service']);
    expect(parseUnits(unit({ LoadState: 'not-found' }))).toEqual([]);
    expect(parseUnits('')).toEqual([]);
  });

  it('is no lack of memory where the witness saw none', () => {
    expect(sawShortage('{ path=/bin/sh ; code=exited ; status=1 }')).toBe(false);
    expect(sawShortage('{ path=/bin/sh ; code=killed ; status=9 }')).toBe(false);
  });
});
