import { gather, type Gathering } from './gathering.ts';
import { reportOn } from './report.ts';
import { FOREIGN, scalar, type Reading } from './tree.ts';

/**
 * Reads the ini dialect of uWSGI: split at the first `=`, a comment only where `;` or `#` comes first, no quotes, no
 * continuation, a key without `=` has the value "", repeated keys become a list, a section given twice goes on.
 * `backoff.first = 1s` puts `first` into the table `backoff`. Source: uWSGI core/ini.c, uwsgi_ini_config.
 * @param whole uWSGI's section, too
 */
export function readIni(text: string, file: string, whole = false): Reading {
  const report = reportOn(file);
  const top = gather(1);
  let section = top;
  let foreign = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const number = index + 1;
    const line = trim(raw);
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (!line.endsWith(']')) report.tell('E_SYNTAX', `section header ${line} is not closed`, { line: number, hint: 'end it with "]"' });
      const name = line.endsWith(']') ? line.slice(1, -1) : line.slice(1);
      foreign = name === FOREIGN && !whole;
      section = top.inside(name, number);
    } else if (!foreign) {
      addKey(section, line, number);
    }
  }
  return report.reading(top.finish());
}

function addKey(section: Gathering, line: string, number: number): void {
  const sign = line.indexOf('=');
  const key = sign === -1 ? line : trim(line.slice(0, sign));
  const value = scalar(sign === -1 ? '' : trim(line.slice(sign + 1)), number);
  const dot = key.indexOf('.');
  if (dot > 0) section.inside(key.slice(0, dot), number).add(key.slice(dot + 1), value, number);
  else section.add(key, value, number);
}

/** Takes off what uWSGI takes off; other white space belongs to the value. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start += 1;
  while (end > start && isBlank(text, end - 1)) end -= 1;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const char = text[at];
  return char === ' ' || char === '\t' || char === '\r';
}
