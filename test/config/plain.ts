import type { Node, Reading } from '../../src/config/tree.ts';

/** A tree as plain values with the lines behind them, for comparing: `8000 @3`. Tables become lists of pairs. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return `${JSON.stringify(node.value)} @${node.line}`;
  if (node.kind === 'list') return node.items.map(plain);
  return [...node.entries].map(([key, entry]) => [`${key} @${entry.line}`, plain(entry.value)]);
}

/** What a reader made of a text: the tree, or the faults with their lines. */
export function outcome(reading: Reading): unknown {
  return reading.ok ? plain(reading.tree) : reading.faults.map((fault) => `${fault.code}:${fault.line} ${fault.message}`);
}
