import { createHash } from 'node:crypto';
import type { InstanceId } from '../../core/state.ts';

/** The slice that all units of instances are in. */
export const SLICE = 'emperor.slice';

/** The state folder of the emperor of the host: its units need no mark of it. */
const USUAL_STATE = '/var/lib/emperor';
/** Characters of a vassal's name in a unit's name, which has at most 255: systemd.unit(5). */
const LONGEST = 150;

/**
 * The name of the unit of an instance: `emperor-shop-12.service`. It holds the serial of the instance, which is never given twice in one state
 * folder, and a mark of the folder where it is not the usual one: a host may have several emperors.
 */
export function unitName(vassalName: string, instance: InstanceId, state: string): string {
  return `emperor-${vassalName.replaceAll(/[^A-Za-z0-9:_.]/g, '_').slice(0, LONGEST)}-${instance.slice(instance.lastIndexOf('#') + 1)}${markOf(state)}.service`;
}

/** Whether a unit is that of an instance of this state folder. */
export function isOurs(unit: string, state: string): boolean {
  return unit.startsWith('emperor-') && new RegExp(`-\\d+${markOf(state)}\\.service$`).test(unit);
}

/** Begins with a letter, which no serial does. */
function markOf(state: string): string {
  return state === USUAL_STATE ? '' : `-s${createHash('sha256').update(state).digest('hex').slice(0, 8)}`;
}
