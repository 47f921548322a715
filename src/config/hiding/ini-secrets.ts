import { isEnvironmentKey } from './environment-key.ts';
import { behindName, type Secret } from './secret.ts';

/** A key with its value, also one that is commented out. */
const LINE = /^([ \t\r;#]*)([^=\n;#[\s][^=\n]*)=([^\n]*)/gm;

/** The secrets of the ini dialect that ini.ts reads: `environment.NAME = value`, `environment = NAME=value`. It has no syntax that could be broken. */
export function iniSecrets(text: string): readonly Secret[] {
  const secrets: Secret[] = [];
  for (const { 0: line, 1: lead = '', 2: written = '', 3: value = '', index } of text.matchAll(LINE)) {
    const path = written.trim();
    const [key = '', ...names] = path.split('.');
    if (!isEnvironmentKey(key)) continue;
    const to = index + line.length;
    const secret = { path: `${lead.trim()}${path}`, from: to - value.length, to };
    secrets.push(names.length > 0 ? secret : behindName(text, secret));
  }
  return secrets;
}
