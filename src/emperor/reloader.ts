import type { Report, ReportEvent } from '../core/event.ts';
import type { Instance, InstanceId, Runnable } from '../core/state.ts';
import type { VassalId } from '../core/listing.ts';
import { EmperorError, reasonOf } from '../errors.ts';
import type { KeptTexts } from '../runner/kept-texts.ts';
import type { Tool, ToolEnding } from '../runner/tool.ts';
import type { Clock } from '../world/clock.ts';

/** Reloads instances that read their file themselves, in place: what they are to read is tried first. */
export interface Reloader extends Disposable {
  reload(instance: InstanceId): void;
}

export interface ReloaderParts {
  /** What is known of an instance by now; null: it is gone. */
  readonly find: (instance: InstanceId) => { readonly vassal: VassalId; readonly name: string; readonly instance: Instance } | null;
  readonly texts: Pick<KeptTexts, 'renew' | 'lend'>;
  readonly tool: Tool;
  readonly clock: Clock;
  /** What is left of a text if nothing is to be disturbed. */
  readonly rehearsalText: (text: string, file: string) => string;
  readonly tell: (instance: InstanceId) => void;
  readonly post: (event: ReportEvent) => void;
}

type Verdict = Extract<Report, { readonly kind: 'rehearsed' | 'refused' }>;

/** Lines of its output that are told. */
const QUOTED_LINES = 12;

/** Opens it. Disposing ends what is being tried. */
export function openReloader({ find, texts, tool, clock, rehearsalText, tell, post }: ReloaderParts): Reloader {
  const stop = new AbortController();
  const underWay = new Map<Runnable, Promise<Verdict>>();
  const report = (instance: InstanceId, what: Report): void => post({ type: 'reported', instance, report: what });

  /** Instances of one revision share one attempt. */
  function attempt(name: string, instance: Instance): Promise<Verdict> {
    const { runs } = instance;
    const known = underWay.get(runs);
    if (known !== undefined) return known;
    const begun = rehearse(name, instance).finally(() => underWay.delete(runs));
    underWay.set(runs, begun);
    return begun;
  }

  /**
   * Starts the program on what is left of the text, without its sockets, up to where its app is loaded. Source: uWSGI docs, "Hooks" (hook-post-app,
   * exit); core/uwsgi.c, uwsgi_init_all_apps, which ends with 22 before the hook if `need-app` is not met.
   */
  async function rehearse(name: string, instance: Instance): Promise<Verdict> {
    const { spec } = instance.runs;
    const { source } = spec;
    if (source === null || !isPlain(spec.argv, source.file)) return { kind: 'rehearsed' };
    const late = new AbortController();
    const cancel = clock.after(spec.startTimeoutMs, () => late.abort());
    try {
      using copy = texts.lend(instance, rehearsalText(source.text, source.file));
      const loader = spec.argv[spec.argv.indexOf(source.file) - 1] ?? '--ini';
      const argv = [spec.argv[0], ...spec.argv.filter((word) => word === '--need-app'), '--socket', '127.0.0.1:0', loader, copy.path, '--hook-post-app', 'exit:0'] as const;
      const ending = await tool(name, instance, argv, AbortSignal.any([late.signal, stop.signal]));
      return judge(ending, late.signal.aborted, spec.startTimeoutMs);
    } catch (error) {
      if (!(error instanceof EmperorError)) return { kind: 'refused', code: 'E_SPAWN', message: `it could not be tried: ${reasonOf(error)}`, output: [] };
      return { kind: 'refused', code: error.code, message: error.message, output: [] };
    } finally {
      cancel();
    }
  }

  async function reload(id: InstanceId): Promise<void> {
    const before = find(id);
    if (before === null) return;
    const verdict = await attempt(before.name, before.instance);
    const now = find(id);
    // It is leaving, or was told something else meanwhile.
    if (stop.signal.aborted || now?.instance.runs !== before.instance.runs) return;
    if (verdict.kind === 'rehearsed' && !texts.renew(now.instance)) {
      report(id, { kind: 'deaf' });
      return;
    }
    report(id, verdict);
    if (verdict.kind === 'rehearsed') tell(id);
  }

  return {
    reload: (id) => void reload(id).catch((error: unknown) => report(id, { kind: 'refused', code: 'E_SPAWN', message: `it could not be tried: ${reasonOf(error)}`, output: [] })),
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** With files that all vassals include it cannot be tried: what they switch on, sockets of the running one among it, is not known here. */
function isPlain(argv: readonly string[], file: string): boolean {
  const at = argv.indexOf(file);
  return argv[at - 3] === '--safe-fd' && argv[at + 1] === '--hook-master-start';
}

function judge({ code, signal, output }: ToolEnding, late: boolean, startTimeoutMs: number): Verdict {
  if (code === 0) return { kind: 'rehearsed' };
  const lines = output.trimEnd().split('\n').slice(-QUOTED_LINES);
  if (late) return { kind: 'refused', code: 'E_NOT_READY', message: `tried apart from what serves, its app was not ready within ${startTimeoutMs} ms`, output: lines };
  const how = code === null ? `was killed by ${signal ?? 'a signal'}` : `exited with code ${code}`;
  return { kind: 'refused', code: code === null ? 'E_KILLED' : 'E_EXITED', message: `tried apart from what serves, it ${how} before its app was loaded`, output: lines };
}
