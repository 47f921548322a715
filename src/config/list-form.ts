import type { Form } from './form.ts';

/** Several values of one form; one alone is a list of one. */
export function listOf<T>(item: Form<T>): Form<readonly T[]> {
  return {
    label: `a list, each of it ${item.label}`,
    hint: item.hint,
    read(node, place) {
      const items = node.kind === 'list' ? node.items : [node];
      const read = items.map((one) => item.read(one, { ...place, line: one.line }));
      const good = read.filter((one) => one !== undefined);
      return good.length === items.length ? good : undefined;
    },
  };
}
