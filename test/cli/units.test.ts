import { describe, expect, it } from 'vitest';
import { unitFiles, unitName, type UnitRequest } from '../../src/cli/units.ts';

const request: UnitRequest = { user: false, name: null, systemd: 252, node: '/opt/node/bin/node', launcher: '/srv/emperor/src/emperor.mjs' };

describe('units', () => {
  it.each<[string, Partial<UnitRequest>, string, readonly string[]]>([
    ['of a host', {}, 'emperor.service', ['emperor.service', 'emperor.slice']],
    ['of one of several', { name: 'shops' }, 'emperor@shops.service', ['emperor@.service', 'emperor.slice']],
    ['of a user', { user: true }, 'emperor.service', ['emperor.service']],
    ['for a systemd that knows DelegateSubgroup=', { systemd: 254 }, 'emperor.service', ['emperor.service', 'emperor.service.d/254.conf', 'emperor.slice']],
  ])('%s', (_what, changes, unit, paths) => {
    const wanted = { ...request, ...changes };
    expect(unitName(wanted)).toBe(unit);
    const files = unitFiles(wanted);
    expect(files.map(({ path }) => path)).toEqual(paths);
    const text = files[0]!.text;
    expect(text).not.toContain('/usr/bin/emperor');
    expect(text).toMatch(/^ExecStart=\/opt\/node\/bin\/node \/srv\/emperor\/src\/emperor.mjs run/m);
    expect(text).toMatch(/^ExecReload=\/opt\/node\/bin\/node \/srv\/emperor\/src\/emperor.mjs rescan$/m);
    for (const line of ['Type=notify', 'NotifyAccess=main', 'KillMode=process', 'Restart=always', 'Delegate=yes', 'OOMPolicy=continue', 'LimitNOFILE=524288', 'Environment=EMPEROR_NOFILE=1024']) expect(text).toContain(`\n${line}\n`);
  });

  it('write paths so that systemd takes them as they are', () => {
    const [{ text } = { text: '' }] = unitFiles({ ...request, launcher: '/srv/my "100%" $emperor/emperor.mjs' });
    expect(text).toContain('ExecReload=/opt/node/bin/node "/srv/my \\"100%%\\" $$emperor/emperor.mjs" rescan\n');
  });
});
