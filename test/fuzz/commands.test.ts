import fc from 'fast-check';
import { expect } from 'vitest';
import { printPacket, readPacket } from '../../src/control/packet.ts';
import { obeyPacket } from '../../src/control/uwsgi-commands.ts';
import { portsOf } from '../control/host.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { fuzz } from './fuzz.ts';

const WORD = fc.oneof(fc.constantFrom('cmd', 'command', 'vassal', 'msg', 'spawn', 'log', 'destroy', 'shop', 'shop.toml', '/v/shop.toml', '__proto__', '..', ''), fc.string({ unit: 'binary', maxLength: 40 }));
const WHOLE = fc.array(fc.tuple(WORD, WORD), { maxLength: 6 }).map((pairs) => printPacket(new Map(pairs)));
/** With some bytes changed, taken out or put in: lengths that lie among them. */
const DAMAGED = fc.tuple(WHOLE, fc.array(fc.tuple(fc.nat(200), fc.nat(255), fc.constantFrom('set', 'cut', 'add')), { maxLength: 4 })).map(([packet, wounds]) => wounds.reduce((bytes, [at, byte, how]) => {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  return Buffer.concat([bytes.subarray(0, place), ...(how === 'cut' ? [] : [Buffer.from([byte])]), bytes.subarray(how === 'add' ? place : place + 1)]);
}, packet));

fuzz<Buffer>({
  name: 'whatever is sent to the command socket has an answer, and posts one order at most',
  inputs: fc.oneof(WHOLE, DAMAGED, fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes))),
  corpus: [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(4_096, 0xff), printPacket(new Map([['cmd', 'log'], ['msg', '\u2028\0\x1b']])), printPacket(new Map([['cmd', 'spawn'], ['vassal', 'shop']]))],
  runs: 1_000,
  async check(bytes) {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    const answer = await obeyPacket(bytes, false, portsOf(emperor), { actor: 'somebody', gone: new AbortController().signal });
    expect(['ok', 'error']).toContain(answer.get('status'));
    expect(emperor.posted.length).toBeLessThanOrEqual(1);
    expect(readPacket(printPacket(answer))).not.toBeNull();
  },
});
