import type { Fault } from '../core/fault.ts';
import type { Declaration, SeenFile } from '../core/listing.ts';
import { firstState, steps } from '../core/step.ts';
import { unreachable } from '../errors.ts';
import { openLeases } from '../kernel/lease.ts';
import { openLibc } from '../kernel/libc.ts';
import { lookAtFile, unfinished } from '../monitors/look-at-file.ts';
import { select } from '../monitors/registry.ts';
import { systemClock } from '../world/clock.ts';
import { openAsking } from './asking.ts';
import { createDeclarer } from './declare.ts';
import { judgeOf } from './host.ts';
import type { Treatment } from './settings.ts';
import { mannerOf } from './sources.ts';

/** What a check found, file by file. */
export interface Report {
  readonly files: readonly { readonly file: string; readonly name: string; readonly faults: readonly Fault[] }[];
}

/**
 * Finds the faults of vassal files as the emperor would, on this host, without one. What it would do with them is decided
 * by the same rules: a name that two files share is a fault here, too.
 * @param paths absolute: files, or folders of them
 * @param treatment how the emperor would take them; absent: plainly
 */
export async function checkPaths(paths: readonly string[], environment: Readonly<Record<string, string | undefined>>, treatment?: Treatment): Promise<Report> {
  const libc = openLibc();
  const leases = openLeases(libc);
  const judge = judgeOf(libc, environment, undefined, treatment);
  const manner = mannerOf(treatment === undefined ? {} : { treatment }).manner;
  using questions = openAsking(libc, { environment, allowWritable: true, ...(treatment === undefined ? {} : { treatment }) }, systemClock());
  const files: { file: string; name: string; faults: readonly Fault[] }[] = [];
  for (const path of paths) {
    const selection = select(path, '/', manner?.extensions);
    const survey = selection.survey();
    if (survey.blind !== null) {
      files.push({ file: path, name: '', faults: [fault(path, survey.blind)] });
      continue;
    }
    const seen = [...survey.nameless, ...survey.files.flatMap((file) => look(file))];
    const declared: Declaration[] = [];
    using declarer = createDeclarer({ parse: judge.parse, vet: judge.vet, meaning: judge.meaning, ...questions.asking, awaitAppearance: () => () => undefined }, { soon: (callback) => callback() }, (event) => {
      if (event.type === 'listed') declared.push(...event.declarations);
    });
    declarer.look(selection.source, { kind: 'listing', files: seen });
    await declarer.told();
    const { state } = steps(firstState([selection.source], [], new Map(), 1), [{ type: 'listed', source: selection.source, declarations: declared }], { ms: 0, at: 0 });
    for (const vassal of state.vassals.values()) {
      const outcome = vassal.newest?.outcome;
      files.push({ file: vassal.id, name: vassal.name, faults: outcome?.ok === false ? outcome.faults : [] });
    }
  }
  return { files };

  function look(file: string): readonly SeenFile[] {
    const found = lookAtFile(file, leases, false, null, manner);
    switch (found.kind) {
      case 'seen':
        return [found.file];
      case 'busy':
        return [unfinished(file, found.why)];
      case 'absent':
        return [];
      default:
        return unreachable(found);
    }
  }
}

function fault(file: string, message: string): Fault {
  const hint = message.startsWith('ENOTDIR') ? 'a vassal file ends in .ini, .toml, .yaml, .yml, .json or .xml, and does not begin with a dot' : null;
  return { code: 'E_FILE_UNREADABLE', message, file, line: null, key: null, hint };
}
