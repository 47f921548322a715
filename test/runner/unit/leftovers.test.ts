import { describe, expect, it } from 'vitest';
import { openLeftovers, type Leftovers } from '../../../src/runner/unit/leftovers.ts';
import type { UnitState } from '../../../src/runner/unit/systemd-programs.ts';
import { HandClock } from '../../fakes/clock.ts';
import { until } from '../../until.ts';

const STATE = '/var/lib/emperor';
const unit = (name: string, sub: string, transient = true): UnitState => ({ unit: name, sub, pid: 1, ended: null, outOfMemory: false, cgroup: '', transient });

interface Stage {
  readonly leftovers: Leftovers;
  readonly clock: HandClock;
  /** What systemd has, and whether it answers. */
  readonly systemd: { units: readonly UnitState[]; answers: boolean };
  readonly discarded: string[];
}

function stage(claimed: readonly string[] = []): Stage {
  const clock = new HandClock();
  const systemd: Stage['systemd'] = { units: [], answers: true };
  const discarded: string[] = [];
  const leftovers = openLeftovers({
    clock,
    state: STATE,
    claimed: () => new Set(claimed),
    systemd: {
      show: () => Promise.resolve(systemd.answers ? systemd.units : null),
      showNow: () => (systemd.answers ? systemd.units : null),
      kill: () => Promise.resolve(),
      discard(name) {
        if (!systemd.answers) return Promise.resolve(false);
        discarded.push(name);
        systemd.units = systemd.units.filter((each) => each.unit !== name);
        return Promise.resolve(true);
      },
    },
  });
  return { leftovers, clock, systemd, discarded };
}

describe('units that are left', () => {
  it('are those of before, and of these only what has ended, is ours and belongs to nobody is discarded', async () => {
    const { leftovers, systemd, discarded } = stage(['emperor-shop-2.service']);
    systemd.units = [
      unit('emperor-shop-1.service', 'exited'), unit('emperor-shop-2.service', 'failed'), unit('emperor-shop-3.service', 'running'), unit('emperor-shop-4.service', 'failed'),
      unit('emperor-shop-5-s1a2b3c4d.service', 'exited'), unit('emperor-backup-1.service', 'exited', false),
    ];
    expect(leftovers.find('emperor-shop-3.service')).toMatchObject({ sub: 'running' });
    expect(leftovers.find('emperor-shop-9.service')).toBeUndefined();
    await until(() => expect(discarded).toEqual(['emperor-shop-1.service', 'emperor-shop-4.service']));
    await leftovers[Symbol.asyncDispose]();
  });

  it('are asked for again while systemd does not answer', async () => {
    const { leftovers, clock, systemd, discarded } = stage();
    systemd.units = [unit('emperor-shop-1.service', 'failed')];
    systemd.answers = false;
    expect(leftovers.find('emperor-shop-1.service')).toBeUndefined();
    await until(() => expect(clock.waiting).toBe(1));
    clock.advance(5_000);
    await until(() => expect(clock.waiting).toBe(1));
    systemd.answers = true;
    clock.advance(5_000);
    await until(() => expect(discarded).toEqual(['emperor-shop-1.service']));
    await leftovers[Symbol.asyncDispose]();
    expect(clock.waiting).toBe(0);
  });

  it('are discarded later if systemd does not hear of it now', async () => {
    const { leftovers, clock, systemd, discarded } = stage();
    systemd.units = [unit('emperor-shop-1.service', 'exited')];
    systemd.answers = false;
    await leftovers.discard('emperor-shop-1.service');
    systemd.answers = true;
    clock.advance(5_000);
    await until(() => expect(discarded).toEqual(['emperor-shop-1.service']));
    await leftovers[Symbol.asyncDispose]();
  });
});
