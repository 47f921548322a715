import { refuse, type Form, type Place } from './form.ts';
import type { Node } from './tree.ts';
import { splitWords } from './words.ts';

/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

/**
 * A list of words, or a line that is split as a shell would. It is split first and its placeholders are filled in then: what a
 * placeholder stands for never makes two words of one.
 */
export const COMMAND: Form<Argv> = {
  label: 'a command',
  hint: 'write ["program", "argument"], or one line in quotes',
  read(node, place) {
    const words = node.kind === 'list' ? listed(node.items, place) : line(node, place);
    if (words === undefined) return undefined;
    const filled = words.map((word) => place.expand(word, place.key, place.line));
    const argv = filled.filter((word) => word !== undefined);
    if (argv.length < filled.length) return undefined;
    if (argv.some((word) => word.includes('\0'))) return refuse(place, `"${place.key}" holds a NUL byte`, 'remove it');
    const [program = '', ...rest] = argv;
    if (program.trim() === '') return refuse(place, `"${place.key}" is empty`, COMMAND.hint);
    return [program, ...rest];
  },
};

function listed(items: readonly Node[], place: Place): readonly string[] | undefined {
  const words = items.flatMap((item) => (item.kind === 'scalar' && item.value !== null ? [item.source] : []));
  return words.length === items.length ? words : refuse(place, `each word of "${place.key}" has to be text`, COMMAND.hint);
}

function line(node: Node, place: Place): readonly string[] | undefined {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return refuse(place, `"${place.key}" wants a command`, COMMAND.hint);
  const split = splitWords(node.value);
  if (!split.ok) return refuse(place, `"${place.key}": ${split.message}`, split.hint);
  const [first = ''] = split.words;
  if (/^[A-Za-z_]\w*=/.test(first)) return refuse(place, `"${place.key}" begins with an assignment, not with a program`, `put ${first.split('=')[0] ?? ''} into "environment"`);
  return split.words;
}
