/**
 * The packets of uWSGI: a header of 4 bytes (modifier1, the length of what follows, little endian, modifier2), then a table of names and values, each
 * with its length in two bytes before it. Source: uWSGI docs, "The uwsgi (lowercase!) Protocol"; core/protocol.c.
 */

const HEADER_BYTES = 4;
const LENGTH_BYTES = 2;
/** As much as a length of two bytes can say. */
const MOST_BYTES = 0xffff;

/** Names to values. */
export type Packet = ReadonlyMap<string, string>;

/** Reads a packet that is there in full, and nothing behind it. Modifiers mean nothing here. Of a name that comes again the last counts. null: it is none */
export function readPacket(bytes: Buffer): Packet | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(1) !== bytes.length - HEADER_BYTES) return null;
  const packet = new Map<string, string>();
  let at = HEADER_BYTES;
  const next = (): string | null => {
    if (at + LENGTH_BYTES > bytes.length) return null;
    const from = at + LENGTH_BYTES;
    const end = from + bytes.readUInt16LE(at);
    if (end > bytes.length) return null;
    at = end;
    return bytes.toString('utf8', from, end);
  };
  while (at < bytes.length) {
    const [name, value] = [next(), next()];
    if (name === null || value === null) return null;
    packet.set(name, value);
  }
  return packet;
}

/** Writes one, with both modifiers 0. Values that do not fit into it any more are left out, from the last. */
export function printPacket(packet: Packet): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (const text of [...packet].map((pair) => pair.map(part))) {
    const both = Buffer.concat(text);
    if (length + both.length > MOST_BYTES) break;
    length += both.length;
    parts.push(both);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(length, 1);
  return Buffer.concat([header, ...parts]);
}

function part(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, MOST_BYTES);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
