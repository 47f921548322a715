/** One line of the result. */
export interface Figure {
  readonly what: string;
  readonly ours: string;
  readonly floor: string;
  readonly ratio: string;
  readonly target: string;
}

/** The figures as a table in markdown. */
export function table(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'ours', 'floor in the same run', 'ratio', 'target'],
    ...figures.map((each) => [each.what, each.ours, each.floor, each.ratio, each.target]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const print = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...body.map(print)].join('\n');
}

export function ms(value: number): string {
  return value >= 1_000 ? `${(value / 1_000).toFixed(2)} s` : `${value.toFixed(1)} ms`;
}

export function ratio(ours: number, floor: number): string {
  return `${(ours / floor).toFixed(2)}×`;
}
