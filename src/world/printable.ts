/** Control characters (C0, DEL, C1), those that turn the direction of writing, unassigned ones, and line ends of other kinds. */
const HARMFUL = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Text that cannot control a terminal, nor look like two lines: what could do so is shown as escapes. Tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(HARMFUL, (character) => {
    if (character === '\t') return character;
    const code = character.codePointAt(0) ?? 0;
    const short = SHORT[character];
    if (short !== undefined) return short;
    return code < 0x1_00 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\u001B': '\\e' };

/** Text of several lines, each of them {@link printable}. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that cannot control a terminal, and means the same. */
export function printableJson(value: unknown, indent?: number): string {
  return harmlessJson(JSON.stringify(value, null, indent));
}

/** Escapes in a JSON text what JSON.stringify leaves as it is (DEL, C1, turned writing, line ends of other kinds). */
export function harmlessJson(text: string): string {
  return text.replaceAll(HARMFUL, (character) => (character === '\n' ? character : character.split('').map(escaped).join('')));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
