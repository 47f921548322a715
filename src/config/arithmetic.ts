/** Operands and operators, with blanks between them: `a + b * 2`. */
export type Operand = (word: string) => string | undefined;

/**
 * What `%(a + b * 2)` stands for: from left to right, whole numbers, what is no number counts as 0; `++` and `--` stand behind; two values side by side are
 * joined. Compared with uWSGI 2.0.21. Source: uWSGI core/config.c, uwsgi_manage_math.
 * @param valueOf a key's value, or the word itself if it is a number; undefined: it is neither, which was told
 * @returns null: it cannot be reckoned, such as a division by 0; undefined: an operand has no value
 */
export function reckon(text: string, valueOf: Operand): string | null | undefined {
  let result: string | null = null;
  let operator: string | null = null;
  for (const word of text.split(' ').filter((each) => each !== '')) {
    if (word === '++' || word === '--') {
      result = String(whole(result ?? '') + (word === '++' ? 1 : -1));
    } else if (/^[-+*/.]$/.test(word)) {
      operator = word;
    } else {
      const value = valueOf(word);
      if (value === undefined) return undefined;
      result = result === null ? value : apply(result, operator, value);
      operator = null;
      if (result === null) return null;
    }
  }
  return operator === null ? result : null;
}

function apply(left: string, operator: string | null, right: string): string | null {
  const [a, b] = [whole(left), whole(right)];
  switch (operator) {
    case '+':
      return String(a + b);
    case '-':
      return String(a - b);
    case '*':
      return String(a * b);
    case '/':
      return b === 0 ? null : String(Math.trunc(a / b));
    case '.':
    case null:
      return left + right;
    default:
      return null;
  }
}

/** atoi(3) */
function whole(text: string): number {
  return Number.parseInt(text, 10) || 0;
}
