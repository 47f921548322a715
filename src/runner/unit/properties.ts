import type { Confinement } from '../launch-plan.ts';
import type { UnitSpec, VassalSpec } from '../../core/spec.ts';
import { signalNumber } from '../exit-status.ts';
import { memoryWitness } from './memory-witness.ts';

/** What the properties of a unit follow from, beside the spec. */
export interface UnitFacts {
  /** Whom it has to become, by name or number; null: what its manager is. */
  readonly user: string | null;
  readonly group: string | null;
  /** The unit of the emperor itself, which is stopped first when the host goes down, and then ends its vassals in order; null: it has none. */
  readonly emperor: string | null;
  /** What it can never gain. Absent: whatever its manager can. */
  readonly confinement?: Confinement;
}

/** A unit with one of these has a user that systemd chooses or looks up; it then sets HOME, USER, LOGNAME and SHELL as well. */
export function choosesUser({ properties }: UnitSpec): boolean {
  return properties.some((each) => /^DynamicUser=(?!(?:0|no|n|false|f|off)$)./i.test(each));
}

/**
 * The properties of the unit of an instance, `NAME=value` each: systemd.exec(5), systemd.resource-control(5). What its file says comes last, so it
 * has the last word.
 *
 * With RemainAfterExit= systemd tells how it ended until the emperor, or the next one, has asked; a unit that failed stays for that by itself.
 */
export function unitProperties(spec: Pick<VassalSpec, 'directory' | 'umask' | 'limits' | 'stopSignal' | 'stopTimeoutMs'>, unit: UnitSpec, facts: UnitFacts): readonly string[] {
  const { limits } = spec;
  const properties = [
    'RemainAfterExit=yes',
    'OOMPolicy=continue',
    'IgnoreSIGPIPE=no',
    `WorkingDirectory=${spec.directory}`,
    `KillSignal=${signalNumber(spec.stopSignal ?? 'SIGTERM')}`,
    `TimeoutStopSec=${spec.stopTimeoutMs}ms`,
    `TasksMax=${limits.tasks ?? 'infinity'}`,
  ];
  if (facts.emperor !== null) properties.push(`Before=${facts.emperor}`);
  if (facts.user !== null) properties.push(`User=${facts.user}`);
  if (facts.group !== null) properties.push(`Group=${facts.group}`);
  if (spec.umask !== null) properties.push(`UMask=${spec.umask.toString(8).padStart(4, '0')}`);
  if (limits.memoryBytes !== null) properties.push(`MemoryMax=${limits.memoryBytes}`, 'MemorySwapMax=0');
  if (limits.cpu !== null) properties.push(`CPUQuota=${Math.max(1, Math.round(limits.cpu * 100))}%`);
  if (limits.files !== null) properties.push(`LimitNOFILE=${limits.files}`);
  const all = [...properties, ...unit.properties, ...confining(facts.confinement)];
  return [...all, ...memoryWitness(all)];
}

/** Of these the settings of the emperor have the last word: the empty set takes back what the file says, as several would add up. */
function confining(confinement: Confinement | undefined): readonly string[] {
  if (confinement === undefined) return [];
  const { noNewPrivileges, capabilities } = confinement;
  const names = capabilities?.map((name) => (name.startsWith('cap_') ? name.slice('cap_'.length) : `CAP_${name.toUpperCase()}`));
  return [...(noNewPrivileges ? ['NoNewPrivileges=yes'] : []), ...(names === undefined ? [] : ['CapabilityBoundingSet=', `CapabilityBoundingSet=${names.join(' ')}`])];
}
