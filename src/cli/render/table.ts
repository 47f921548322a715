/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Rows of text below their titles, aligned, two blanks between columns. Pure; the cells must be printable. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_column, at) => Math.max(...lines.map((line) => width(line[at] ?? ''))));
  return lines.map((line) => `${columns.map(({ align }, at) => pad(line[at] ?? '', widths[at] ?? 0, align)).join('  ').trimEnd()}\n`).join('');
}

function pad(cell: string, to: number, align: Column['align']): string {
  const blanks = ' '.repeat(Math.max(0, to - width(cell)));
  return align === 'right' ? blanks + cell : cell + blanks;
}

/** Letters as readers count them; most take one column. */
function width(text: string): number {
  return ASCII.test(text) ? text.length : Array.from(new Intl.Segmenter().segment(text)).length;
}

const ASCII = /^[ -~]*$/;
