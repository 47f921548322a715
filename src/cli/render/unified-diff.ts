import { createTwoFilesPatch } from 'diff';
import type { DiffDocument, RevisionText } from '../../control/protocol.ts';

/** How long the shortest difference is looked for, ms. Texts of a megabyte that have nothing in common would take minutes. */
const PATIENCE_MS = 5_000;

/**
 * The difference of two revisions, as patch(1) understands it; empty if they hold the same text. What is in the files is in it as it
 * is: it has to be made {@link printable} for a terminal.
 */
export function unifiedDiff({ file, from, to }: DiffDocument, patienceMs: number = PATIENCE_MS): string {
  if (from.text === to.text) return '';
  const options = { context: 3, timeout: patienceMs, headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true } };
  return createTwoFilesPatch(file, file, from.text, to.text, headerOf(from), headerOf(to), options) ?? replacement(file, from, to);
}

function headerOf({ number, at }: RevisionText): string {
  return `revision ${number}, ${at}`;
}

/** All of one goes, all of the other comes. */
function replacement(file: string, from: RevisionText, to: RevisionText): string {
  const [old, other] = [linesOf(from.text), linesOf(to.text)];
  const head = [`--- ${JSON.stringify(file)}\t${headerOf(from)}`, `+++ ${JSON.stringify(file)}\t${headerOf(to)}`, `@@ -${rangeOf(old)} +${rangeOf(other)} @@`];
  return `${[...head, ...marked('-', old, from.text), ...marked('+', other, to.text)].join('\n')}\n`;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function rangeOf(lines: readonly string[]): string {
  return lines.length === 0 ? '0,0' : `1,${lines.length}`;
}

function marked(mark: '-' | '+', lines: readonly string[], text: string): readonly string[] {
  const all = lines.map((line) => `${mark}${line}`);
  return text === '' || text.endsWith('\n') ? all : [...all, '\\ No newline at end of file'];
}
