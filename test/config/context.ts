import type { Outcome, VassalId } from '../../src/core/listing.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import { printFault } from '../../src/core/fault.ts';
import { parseVassal, type ParseContext } from '../../src/config/vassal.ts';
import type { Preset } from '../../src/presets/preset.ts';
import { presets } from '../../src/presets/registry.ts';

/** The machine that the tests of parsing play on. */
export const CONTEXT: ParseContext = {
  host: { hostname: 'forum', cpus: 4, uid: 1000, user: 'caesar', gid: 100, group: 'senate' },
  environment: { HOME: '/home/caesar', PORT: '8000', EMPTY: '', ODD: '%n $(HOME) %(user)' },
  presets: presets(),
  hooks: { own: [], vassalsStart: null, vassalsStop: null },
};

export function parse(id: string, text: string, more: readonly Preset[] = []): Outcome {
  return parseVassal({ id: id as VassalId, text }, { ...CONTEXT, presets: new Map([...CONTEXT.presets, ...more.map((preset) => [preset.name, preset] as const)]) });
}

/** The spec of a text that has to be right. */
export function specOf(id: string, text: string, more: readonly Preset[] = []): VassalSpec {
  const outcome = parse(id, text, more);
  if (!outcome.ok) throw new Error(outcome.faults.map(printFault).join('\n'));
  return outcome.spec;
}

/** Faults as people see them, with their code in front. */
export function faultsOf(id: string, text: string, more: readonly Preset[] = []): string[] {
  const outcome = parse(id, text, more);
  return outcome.ok ? [] : outcome.faults.map((fault) => `${fault.code} ${printFault(fault)}`);
}
