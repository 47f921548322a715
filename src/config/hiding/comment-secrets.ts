import type { Secret } from './secret.ts';

/** The beginning of variables that are commented out. */
const BEGINNING = /\benv\w*\b[^]*[=:\]{]/i;

/** Variables that are commented out in whole lines that begin with `#`: from a line that names the environment on, to the last of the comment. */
export function commentSecrets(text: string): readonly Secret[] {
  const secrets: Secret[] = [];
  let at = 0;
  let within = false;
  for (const line of text.split('\n')) {
    const [lead = '', comment] = /^(\s*#)([^]*)$/.exec(line)?.slice(1) ?? [];
    within = comment !== undefined && (within || BEGINNING.test(comment));
    if (within) secrets.push({ path: `comment ${secrets.length}`, from: at + lead.length, to: at + line.length });
    at += line.length + 1;
  }
  return secrets;
}
