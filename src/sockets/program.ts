import type { Instruction } from '../kernel/sockets.ts';

/** How the connections to one TCP address are divided among its sockets, which are named by their index in the kernel's group. */
export interface Division {
  /** Gets all that nobody else gets. */
  readonly rest: number;
  /** Gets a part of them, more than 0 and less than 1, at random. */
  readonly share: { readonly index: number; readonly part: number } | null;
  /** Connections that come from the address that they go to, from this port: they go there, whatever else is said. */
  readonly doors: readonly { readonly port: number; readonly index: number }[];
}

/** linux/bpf_common.h and linux/filter.h */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_HALF_AT_X = 0x48;
/** X = 4 * (byte & 0xf): the length of an IPv4 header from its first byte. */
const LOAD_X_HEADER_LENGTH = 0xb1;
const A_TO_X = 0x07;
const SHIFT_RIGHT = 0x74;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_EQUAL_X = 0x1d;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;
/** The program is given the packet from behind its TCP header on; with this offset it sees it from the IP header on. */
const NETWORK = -0x10_0000;
/** A random number of 32 bits: SKF_AD_OFF + SKF_AD_RANDOM. */
const RANDOM = -0x1000 + 56;

/** RFC 791 and RFC 8200: where what is compared lies in the headers, in bytes. */
const V4_SOURCE = 12;
const V4_DESTINATION = 16;
const V6_NEXT_HEADER = 6;
const V6_SOURCE = 8;
const V6_DESTINATION = 24;
const V6_HEADER_BYTES = 40;
const TCP = 6;

type Labelled = Instruction | { readonly jump: 'doors' | 'division' };

/**
 * Classic BPF for a group of sockets. Who connects from afar cannot have the address that he connects to: so no remote client comes through a
 * door by chance, whatever its port is.
 */
export function programOf({ rest, share, doors }: Division): readonly Instruction[] {
  const division: readonly Instruction[] = share === null
    ? [[RETURN, 0, 0, rest]]
    : [[LOAD_WORD, 0, 0, RANDOM], [JUMP_IF_AT_LEAST, 0, 1, Math.round(share.part * 0xffff_ffff)], [RETURN, 0, 0, rest], [RETURN, 0, 0, share.index]];
  if (doors.length === 0) return division;
  const v4: readonly Labelled[] = [
    ...sameWord(V4_SOURCE, V4_DESTINATION),
    [LOAD_X_HEADER_LENGTH, 0, 0, NETWORK],
    [LOAD_HALF_AT_X, 0, 0, NETWORK],
    { jump: 'doors' },
  ];
  const v6: readonly Labelled[] = [
    ...[0, 4, 8, 12].flatMap((word) => sameWord(V6_SOURCE + word, V6_DESTINATION + word)),
    [LOAD_BYTE, 0, 0, NETWORK + V6_NEXT_HEADER],
    ...unlessEqual(TCP),
    [LOAD_HALF, 0, 0, NETWORK + V6_HEADER_BYTES],
  ];
  // The version of the protocol is in the upper half of the first byte.
  const start: readonly Labelled[] = [[LOAD_BYTE, 0, 0, NETWORK], [SHIFT_RIGHT, 0, 0, 4], [JUMP_IF_EQUAL, v4.length, 0, 6]];
  const opened = doors.flatMap(({ port, index }): Instruction[] => [[JUMP_IF_EQUAL, 0, 1, port], [RETURN, 0, 0, index]]);
  const before = [...start, ...v4, ...v6];
  const labels = { doors: before.length, division: before.length + opened.length };
  return [...before.map((each, at): Instruction => ('jump' in each ? [JUMP, 0, 0, labels[each.jump] - at - 1] : each)), ...opened, ...division];
}

/** Goes on if two words of the packet are the same, else to the division. */
function sameWord(one: number, other: number): readonly Labelled[] {
  return [[LOAD_WORD, 0, 0, NETWORK + one], [A_TO_X, 0, 0, 0], [LOAD_WORD, 0, 0, NETWORK + other], [JUMP_IF_EQUAL_X, 1, 0, 0], { jump: 'division' }];
}

function unlessEqual(value: number): readonly Labelled[] {
  return [[JUMP_IF_EQUAL, 1, 0, value], { jump: 'division' }];
}
