/**
 * Text that cannot control a terminal: control characters (C0, DEL, C1) and those that turn the direction of writing are
 * shown as escapes. Tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\t]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const short = SHORT[character];
    if (short !== undefined) return short;
    return code < 0x1_00 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\u001B': '\\e' };
