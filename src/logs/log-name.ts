import { createHash } from 'node:crypto';

/** Longest name, in bytes: NAME_MAX is 255, and rotation appends up to `.log.9999.gz`. */
const LONGEST_BYTES = 200;
const HASH_LENGTH = 12;

/**
 * Name of the log file of a vassal: `shop.log`. What a file name cannot hold, or would garble a terminal (`/`, control characters, and `%` itself),
 * is percent-encoded. A name that is too long is cut and ends in a part of its SHA-256, so that no two vassals share a file.
 */
export function logFileName(vassalName: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const safe = vassalName.replace(/[\u0000-\u001f\u007f-\u009f/%]/g, (character) => encodeURIComponent(character));
  if (Buffer.byteLength(safe) <= LONGEST_BYTES) return `${safe}.log`;
  const hash = createHash('sha256').update(vassalName).digest('hex').slice(0, HASH_LENGTH);
  let start = '';
  let room = LONGEST_BYTES - HASH_LENGTH - 1;
  for (const character of safe) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    start += character;
  }
  return `${start}~${hash}.log`;
}
