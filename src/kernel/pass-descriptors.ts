import type { Libc } from './libc.ts';
import { openSendMessage } from './send-message.ts';

/**
 * Sends copies of descriptors over a connected unix socket, with one byte that carries them: SCM_RIGHTS of unix(7). Never waits.
 * @param descriptors none, or at most 253, in the order in which they are received
 * @returns the name of the error; null: they are sent
 */
export type PassDescriptors = (socket: number, descriptors: readonly number[]) => string | null;

const CARRIER: Uint8Array = new Uint8Array(1);

/** Binds sendmsg(2). */
export function openPassDescriptors(libc: Libc): PassDescriptors {
  const send = openSendMessage(libc);
  return (socket, descriptors) => send(socket, { data: CARRIER, descriptors, to: null });
}
