import type { Outcome, VassalId } from '../core/listing.ts';
import type { Backoff, LogPolicy, Reload, VassalSpec } from '../core/spec.ts';
import type { Preset } from '../presets/preset.ts';
import { readKeys, type Given } from './keys.ts';
import { folderOf } from './path.ts';
import { expander, magicLetters, type Environment, type Host } from './placeholders.ts';
import { programOf } from './program.ts';
import { reportOn, type Report } from './report.ts';
import { VASSAL_KEYS, type VassalKeys } from './schema.ts';
import { sectionsOf } from './sections.ts';
import { readerOf } from './syntax.ts';
import type { Reading, Table } from './tree.ts';

/** A vassal file as it was read. A listing's SeenFile fits once its content is text. */
export interface VassalFile {
  readonly id: VassalId;
  readonly text: string;
}

/** What parsing depends on beside the text. */
export interface ParseContext {
  readonly host: Host;
  /** Of the emperor, for `$(NAME)`. */
  readonly environment: Environment;
  readonly presets: ReadonlyMap<string, Preset>;
}

const DEFAULT_READY_MS = 1000;
const DEFAULT_START_TIMEOUT_MS = 60_000;
const DEFAULT_STOP_TIMEOUT_MS = 30_000;
const DEFAULT_BACKOFF: Backoff = { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0.2, resetAfterMs: 60_000 };
const DEFAULT_LOG: LogPolicy = { maxBytes: 10 * 2 ** 20, keep: 10, format: 'raw' };

/** Turns the text of a vassal file into what is to be run, or into all of its faults, in the order of the lines. Never throws. */
export function parseVassal(file: VassalFile, context: ParseContext): Outcome {
  const report = reportOn(file.id);
  const reading = readText(file, report);
  if (reading === undefined) return { ok: false, faults: report.faults() };
  if (!reading.ok) return reading;
  const spec = specOf(reading.tree, file.id, context, report);
  const faults = report.faults();
  return spec !== undefined && faults.length === 0 ? { ok: true, spec } : { ok: false, faults };
}

function readText({ id, text }: VassalFile, report: Report): Reading | undefined {
  const read = readerOf(id);
  if (read === null) return report.tell('E_NAME', 'the file has no extension of a vassal file');
  if (text.includes('\0')) return report.tell('E_FILE_BINARY', 'the file holds NUL bytes: it is no text');
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return report.tell('E_FILE_EMPTY', 'the file is empty', { hint: 'write a section "vassal" with "command" or "server" in it' });
  return read(content, id);
}

function specOf(tree: Table, file: VassalId, context: ParseContext, report: Report): VassalSpec | undefined {
  const sections = sectionsOf(tree, report);
  if (sections === undefined) return undefined;
  const expand = expander(sections.vassal, magicLetters(file, context.host), context.environment, report);
  const folder = folderOf(file);
  const given = readKeys(VASSAL_KEYS, sections.vassal, { report, expand, folder });
  const program = programOf({ sections, given, file, presets: context.presets, report });
  checkTimes(sections.vassal, given, report);
  const reload = reloadOf(sections.vassal, given, program?.preset ?? null, report);
  if (program === undefined) return undefined;
  const { preset, argv } = program;
  const readyMs = given.ready?.after ?? preset?.ready.ms ?? DEFAULT_READY_MS;
  return {
    server: preset?.name ?? null,
    argv,
    directory: given.directory ?? folder,
    environment: given.environment ?? {},
    environmentFile: given['environment-file'] ?? null,
    user: given.user ?? null,
    group: given.group ?? null,
    umask: given.umask ?? null,
    reload,
    stopSignal: given['stop-signal'] ?? preset?.stopSignal ?? 'SIGTERM',
    stopTimeoutMs: given['stop-timeout'] ?? preset?.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS,
    startTimeoutMs: given['start-timeout'] ?? Math.max(DEFAULT_START_TIMEOUT_MS, readyMs),
    ready: { kind: 'after', ms: readyMs },
    restart: given.restart ?? 'always',
    backoff: {
      firstMs: given.backoff?.first ?? DEFAULT_BACKOFF.firstMs,
      factor: given.backoff?.factor ?? DEFAULT_BACKOFF.factor,
      maxMs: given.backoff?.max ?? DEFAULT_BACKOFF.maxMs,
      jitter: given.backoff?.jitter ?? DEFAULT_BACKOFF.jitter,
      resetAfterMs: given.backoff?.['reset-after'] ?? DEFAULT_BACKOFF.resetAfterMs,
    },
    log: {
      maxBytes: given.log?.['max-size'] ?? DEFAULT_LOG.maxBytes,
      keep: given.log?.keep ?? DEFAULT_LOG.keep,
      format: given.log?.format ?? DEFAULT_LOG.format,
    },
  };
}

/** A start that is given up before it can be ready never succeeds. */
function checkTimes(section: Table, given: Given<VassalKeys>, report: Report): void {
  const timeoutMs = given['start-timeout'];
  const readyMs = given.ready?.after ?? DEFAULT_READY_MS;
  if (timeoutMs === undefined || timeoutMs >= readyMs) return;
  report.tell('E_KEY_CONFLICT', `"start-timeout" (${timeoutMs} ms) ends before an instance can be ready (${readyMs} ms)`, {
    line: section.entries.get('start-timeout')?.line ?? null,
    key: 'start-timeout',
    hint: 'raise it, or lower "ready.after"',
  });
}

function reloadOf(section: Table, given: Given<VassalKeys>, preset: Preset | null, report: Report): Reload {
  const standard = preset?.reload ?? { kind: 'restart' };
  const kind = given.reload ?? standard.kind;
  if (kind === 'signal') return { kind, signal: given['reload-signal'] ?? (standard.kind === 'signal' ? standard.signal : 'SIGHUP') };
  const entry = section.entries.get('reload-signal');
  // A `reload` that could not be read may have been "signal".
  const unread = section.entries.has('reload') && given.reload === undefined;
  if (entry !== undefined && !unread) {
    report.tell('E_KEY_CONFLICT', `"reload-signal" is of no use with reload = "${kind}"`, { line: entry.line, key: 'reload-signal', hint: 'write reload = "signal"' });
  }
  return { kind };
}
