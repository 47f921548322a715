import { basename } from 'node:path';
import { vassalsByName } from './names.ts';
import type { EmperorState } from '../core/state.ts';
import { reasonOf } from '../errors.ts';
import { printable } from '../world/printable.ts';
import type { ControlPorts } from './command.ts';
import { giveOrders } from './orders.ts';
import { readPacket, type Packet } from './packet.ts';
import type { OrderResult } from './protocol.ts';

/** The commands of the Emperor of uWSGI 2.1 that are orders. Source: uWSGI core/emperor.c of 2.1, the command socket. */
const ORDERS: ReadonlyMap<string, 'start' | 'reload' | 'stop'> = new Map([['spawn', 'start'], ['respawn', 'reload'], ['stop', 'stop']]);

/** An order that takes longer is answered with that. */
const WAIT_MS = 60_000;
/** Longest text that is logged, in characters. */
const MOST_LOGGED = 1_024;

/** What is needed beside what the control socket needs. */
export interface CommandContext {
  /** Who sent it, by what the kernel says: for the history. */
  readonly actor: string;
  /** Aborted when nobody waits for answers any more. */
  readonly gone: AbortSignal;
}

/**
 * Does what a packet of the command socket asks for, and answers when it has come to an end: `status` (`ok`, `error`), `vassal` and `message`.
 * Its keys: `cmd` or `command` (spawn, respawn, stop, log), `vassal` (its name, the name of its file, or the path of that), `msg` of log.
 */
export async function obeyPacket(bytes: Buffer, cut: boolean, ports: ControlPorts, { actor, gone }: CommandContext): Promise<Packet> {
  const packet = cut ? null : readPacket(bytes);
  if (packet === null) return failure(null, cut ? 'the packet is too long' : 'this is no packet of uWSGI');
  const command = packet.get('cmd') ?? packet.get('command');
  const vassal = packet.get('vassal') ?? null;
  if (command === undefined) return failure(vassal, 'there is no "cmd" in it');
  if (command === 'log') return log(packet.get('msg') ?? '', vassal, actor, ports);
  const verb = ORDERS.get(command);
  if (verb === undefined) return failure(vassal, `unknown command ${JSON.stringify(printable(command))}; there are ${[...ORDERS.keys(), 'log'].join(', ')}`);
  if (vassal === null || vassal === '') return failure(null, `"${command}" needs "vassal"`);
  const name = nameIn(ports.emperor.snapshot(), vassal);
  try {
    const [result] = await giveOrders({ demand: { verb }, names: [name ?? vassal], actor, waitMs: WAIT_MS, gone }, ports);
    return result === undefined ? failure(vassal, 'nobody knows what became of it') : answer(vassal, result);
  } catch (error) {
    return failure(vassal, reasonOf(error));
  }
}

/** An answer that something went wrong. */
export function failure(vassal: string | null, message: string): Packet {
  return new Map([['status', 'error'], ...(vassal === null ? [] : [['vassal', vassal] as const]), ['message', message]]);
}

function answer(vassal: string, { outcome, code, message }: OrderResult): Packet {
  if (outcome === 'done') return new Map([['status', 'ok'], ['vassal', vassal], ...(message === null ? [] : [['message', message] as const])]);
  return failure(vassal, `${code === null ? '' : `${code}: `}${message ?? outcome}`);
}

function log(text: string, vassal: string | null, actor: string, { logger }: ControlPorts): Packet {
  const message = printable(text.slice(0, MOST_LOGGED));
  logger.info({ ...(vassal === null ? {} : { vassal: printable(vassal) }), actor, message }, 'was told on the command socket');
  return new Map([['status', 'ok'], ...(vassal === null ? [] : [['vassal', vassal] as const])]);
}

/** uWSGI's Emperor knows vassals by their files; so a name with its extension, or the path, means the same. */
function nameIn(state: EmperorState, given: string): string | null {
  if (vassalsByName(state).has(given)) return given;
  for (const { id, name } of state.vassals.values()) if (id === given || basename(id) === given) return name;
  return null;
}
