import type { Outcome, VassalId } from '../core/listing.ts';
import type { Backoff, LogPolicy, VassalSpec } from '../core/spec.ts';
import type { Preset } from '../presets/preset.ts';
import { activationOf } from './activation.ts';
import type { Asked } from './asked.ts';
import { healthOf } from './health.ts';
import { readKeys } from './keys.ts';
import { listeningOf } from './listening.ts';
import { folderOf } from './path.ts';
import { expander, magicLetters, type Environment, type Host } from './placeholders.ts';
import { commandOf, programOf } from './program.ts';
import { readinessOf, startTimeoutOf } from './readiness.ts';
import { replacingOf } from './replacing.ts';
import { reportOn, type Report } from './report.ts';
import { VASSAL_KEYS } from './schema.ts';
import { sectionsOf } from './sections.ts';
import { readerOf } from './syntax.ts';
import type { Reading, Table } from './tree.ts';
import { unitOf } from './unit-form.ts';

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

const DEFAULT_LINGER_MS = 2000;
const DEFAULT_STOP_TIMEOUT_MS = 30_000;
const DEFAULT_BACKOFF: Backoff = { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0.2, resetAfterMs: 60_000 };
const DEFAULT_LOG: LogPolicy = { to: 'file', maxBytes: 10 * 2 ** 20, keep: 10, format: 'raw' };

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
  const { vassal: section, uwsgiLine } = sections;
  const expand = expander(section, () => magicLetters(file, context.host), context.environment, report);
  const folder = folderOf(file);
  const given = readKeys(VASSAL_KEYS, section, { report, expand, folder });
  const asked: Asked = { section, given, report };
  const program = programOf({ ...asked, uwsgiLine, file, presets: context.presets });
  const preset = program?.kind === 'server' ? program.preset : null;
  const listening = listeningOf(asked, preset);
  const replacing = replacingOf(asked, preset, listening);
  const ready = readinessOf(asked, preset, listening);
  const startTimeoutMs = startTimeoutOf(asked, ready);
  const health = healthOf(asked, listening);
  const activation = activationOf(asked, listening, file);
  const unit = unitOf(asked);
  if (program === undefined) return undefined;
  const passed = listening.sockets === 'held' ? listening.listen.map(({ address }) => address) : [];
  const { argv, environment } = commandOf(program, { workers: given.workers ?? null, listen: passed, file });
  return {
    server: preset?.name ?? null,
    programs: preset?.programs ?? [],
    argv,
    directory: given.directory ?? folder,
    environment: { ...environment, ...given.environment },
    environmentFile: given['environment-file'] ?? null,
    user: given.user ?? null,
    group: given.group ?? null,
    umask: given.umask ?? null,
    listen: listening.listen,
    passing: listening.passing,
    channel: preset?.channel ?? false,
    instances: given.instances ?? 1,
    ...replacing,
    lingerMs: given.linger ?? DEFAULT_LINGER_MS,
    rollback: given.rollback ?? true,
    stopSignal: given['stop-signal'] ?? (preset?.channel === true ? null : (preset?.stopSignal ?? 'SIGTERM')),
    stopTimeoutMs: given['stop-timeout'] ?? preset?.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS,
    startTimeoutMs,
    ready,
    health,
    ...activation,
    limits: {
      memoryBytes: given.limits?.memory ?? null,
      cpu: given.limits?.cpu ?? null,
      tasks: given.limits?.tasks ?? null,
      files: given.limits?.files ?? null,
    },
    unit,
    restart: given.restart ?? 'always',
    backoff: {
      firstMs: given.backoff?.first ?? DEFAULT_BACKOFF.firstMs,
      factor: given.backoff?.factor ?? DEFAULT_BACKOFF.factor,
      maxMs: given.backoff?.max ?? DEFAULT_BACKOFF.maxMs,
      jitter: given.backoff?.jitter ?? DEFAULT_BACKOFF.jitter,
      resetAfterMs: given.backoff?.['reset-after'] ?? DEFAULT_BACKOFF.resetAfterMs,
    },
    log: {
      to: given.log?.to ?? DEFAULT_LOG.to,
      maxBytes: given.log?.['max-size'] ?? DEFAULT_LOG.maxBytes,
      keep: given.log?.keep ?? DEFAULT_LOG.keep,
      format: given.log?.format ?? DEFAULT_LOG.format,
    },
  };
}
