import type { Basis, Owner } from '../core/basis.ts';
import type { Outcome, VassalId } from '../core/listing.ts';
import type { Backoff, LogPolicy, VassalSpec } from '../core/spec.ts';
import type { Preset, SharedArguments } from '../presets/preset.ts';
import { activationOf } from './activation.ts';
import { adoptionOf } from './adoption.ts';
import type { Asked } from './asked.ts';
import { generalHooksFor, hooksOf, type GeneralHooks } from './hook-keys.ts';
import { knownOf } from './conversant.ts';
import { effective, printTable, readDefaults, withDefaults } from './defaults.ts';
import { healthOf } from './health.ts';
import { readIni } from './ini.ts';
import { readKeys } from './keys.ts';
import { listeningOf } from './listening.ts';
import { owned } from './owned.ts';
import { extensionOf, fileNameOf, folderOf } from './path.ts';
import { expander, magicLetters, type Environment, type Host } from './placeholders.ts';
import { commandOf, programOf } from './program.ts';
import { readinessOf, startTimeoutOf } from './readiness.ts';
import { replacingOf } from './replacing.ts';
import { reportOn, type Report } from './report.ts';
import { VASSAL_KEYS } from './schema.ts';
import { governsVassals, loadsApp } from './uwsgi-app.ts';
import { uwsgiStats } from './uwsgi-stats.ts';
import { scalingOf } from './scaling.ts';
import { sectionsOf } from './sections.ts';
import { readerOf } from './syntax.ts';
import type { Reading, Table } from './tree.ts';
import { hostOf, ownerOf, publicPart, tellKeys, type TyrantRules } from './tyrant.ts';
import { unitOf } from './unit-form.ts';

/** A vassal file as it was read. A listing's SeenFile fits once its content is text. */
export interface VassalFile {
  readonly id: VassalId;
  readonly text: string;
  /** What the text is read with. */
  readonly basis?: Basis;
}

/** What parsing depends on beside the text. */
export interface ParseContext {
  readonly host: Host;
  /** Of the emperor, for `$(NAME)`. */
  readonly environment: Environment;
  readonly presets: ReadonlyMap<string, Preset>;
  /** The hooks of all vassals; they run before those of the file itself. */
  readonly hooks: GeneralHooks;
  /** Further ends of names of vassal files, read as ini. Absent: none. */
  readonly extensions?: readonly string[];
  /** Arguments of uWSGI that all its vassals get. Absent: none. */
  readonly uwsgi?: SharedArguments;
  /** Absent: files run as their keys say. */
  readonly tyrant?: TyrantRules;
}

const DEFAULT_LINGER_MS = 2000;
const DEFAULT_STOP_TIMEOUT_MS = 30_000;
const DEFAULT_BACKOFF: Backoff = { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0.2, resetAfterMs: 60_000 };
const DEFAULT_LOG: LogPolicy = { to: 'file', maxBytes: 10 * 2 ** 20, keep: 10, format: 'raw' };

/** Turns the text of a vassal file into what is to be run, or into all of its faults, in the order of the lines. Never throws. */
export function parseVassal(file: VassalFile, context: ParseContext): Outcome {
  const report = reportOn(file.id);
  const { tyrant } = context;
  const owner = tyrant === undefined ? undefined : ownerOf(file.basis, report);
  if (tyrant !== undefined && owner === undefined) return { ok: false, faults: report.faults() };
  const reading = readText(file, context, report);
  if (reading === undefined) return { ok: false, faults: report.faults() };
  if (!reading.ok) return reading;
  const defaults = file.basis?.defaults === undefined ? null : readDefaults(file.basis.defaults);
  if (defaults?.ok === false) return defaults;
  const seen = tyrant === undefined || owner === undefined ? context : { ...context, host: hostOf(owner, context.host, tyrant), environment: publicPart(context.environment) };
  const spec = specOf(reading.tree, file, seen, report, owner, defaults?.section ?? null);
  const faults = report.faults();
  return spec !== undefined && faults.length === 0 ? { ok: true, spec } : { ok: false, faults };
}

/**
 * What a text is compared by: its own hash, and the defaults that count for it, so that a change of others is none.
 * @param hash of the text
 */
export function meaning(file: VassalFile, hash: string, context: Pick<ParseContext, 'extensions'>): string {
  const defaults = file.basis?.defaults === undefined ? null : readDefaults(file.basis.defaults);
  if (defaults === null || hash === '') return hash;
  if (!defaults.ok) return `${hash} ${JSON.stringify(defaults.faults)}`;
  const report = reportOn(file.id);
  const reading = readText(file, context, report);
  const sections = reading?.ok === true ? sectionsOf(reading.tree, report) : undefined;
  if (sections === undefined) return hash;
  const counting = effective(sections.vassal, defaults.section, sections.uwsgiLine !== null);
  return counting.entries.size === 0 ? hash : `${hash} ${printTable(counting)}`;
}

function readText({ id, text }: VassalFile, { extensions = [] }: Pick<ParseContext, 'extensions'>, report: Report): Reading | undefined {
  const read = readerOf(id) ?? (extensions.some((end) => id.endsWith(end)) ? readIni : null);
  if (read === null) return report.tell('E_NAME', 'the file has no extension of a vassal file');
  if (text.includes('\0')) return report.tell('E_FILE_BINARY', 'the file holds NUL bytes: it is no text');
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return report.tell('E_FILE_EMPTY', 'the file is empty', { hint: 'write a section "vassal" with "command" or "server" in it' });
  return read(content, id);
}

function specOf(tree: Table, { id: file, text, basis }: VassalFile, context: ParseContext, report: Report, owner: Owner | undefined, defaults: Table | null): VassalSpec | undefined {
  const sections = sectionsOf(tree, report);
  if (sections === undefined) return undefined;
  const { uwsgiLine } = sections;
  if (context.tyrant !== undefined) tellKeys(sections.vassal, context.tyrant, report);
  const section = defaults === null ? sections.vassal : withDefaults(sections.vassal, effective(sections.vassal, defaults, uwsgiLine !== null));
  const expand = expander(section, () => magicLetters(file, context.host), context.environment, report);
  const folder = folderOf(file);
  const own: Asked = { section, given: readKeys(VASSAL_KEYS, section, { report, expand, folder }), report };
  const printed = basis?.printed === true;
  const { asked, text: adopted } = adoptionOf(own, { file, text, host: context.host, foreign: uwsgiLine !== null, printed, folder, address: basis?.address ?? null });
  const { given } = asked;
  const program = programOf({ ...asked, uwsgiLine, file, printed, presets: context.presets });
  const preset = knownOf(program, given.channel === true, uwsgiLine !== null && governsVassals(text, extensionOf(file)));
  const listening = listeningOf(asked, preset);
  const replacing = replacingOf(asked, preset, listening);
  const ready = readinessOf(asked, preset, listening);
  const startTimeoutMs = startTimeoutOf(asked, ready);
  const health = healthOf(asked, listening);
  const scaling = scalingOf(asked, listening);
  const activation = activationOf(asked, listening, file);
  const unit = unitOf(asked);
  if (program === undefined) return undefined;
  const passed = listening.sockets === 'held' ? listening.listen.map(({ address }) => address) : [];
  // What uWSGI can make of its own section is not ours to judge.
  const expandQuietly = expander(section, () => magicLetters(file, context.host), context.environment, reportOn(file));
  const { argv, environment } = commandOf(program, { workers: given.workers ?? null, listen: passed, file, ...(uwsgiLine !== null && loadsApp(text, extensionOf(file)) ? { loadsApp: true } : {}), ...(printed ? { printed } : {}), ...(adopted === null ? {} : { namesSockets: true }), ...(context.uwsgi === undefined ? {} : { shared: context.uwsgi }) });
  const spec: VassalSpec = {
    server: program.kind === 'server' ? program.preset.name : null,
    // A program that prints options is run by uWSGI once more: what it prints then is not ours to keep.
    source: preset?.readsFile === true && !printed ? { file, text: adopted ?? text } : null,
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
    ...scaling,
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
    hooks: [...generalHooksFor(context.hooks, fileNameOf(file)), ...hooksOf(given.hooks)],
    uwsgiStats: uwsgiLine === null ? null : uwsgiStats(text, extensionOf(file), given.directory ?? folder, expandQuietly),
  };
  if (context.tyrant === undefined || owner === undefined) return spec;
  // What is opened by the emperor is not written by the owner.
  return owned(spec, asked, { file, text: adopted ?? text, owner, rules: context.tyrant, host: context.host, environment: context.environment, foreign: uwsgiLine !== null });
}
