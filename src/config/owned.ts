import type { Owner } from '../core/basis.ts';
import type { VassalSpec } from '../core/spec.ts';
import { lineOf, type Asked } from './asked.ts';
import { foreignOptions } from './foreign-options.ts';
import { folderOf, resolveFrom } from './path.ts';
import { expander, magicLetters, type Environment, type Host } from './placeholders.ts';
import { scalar, table } from './tree.ts';
import { tellOptions, tellSpec, writingsOf, type TyrantRules } from './tyrant.ts';

/** A file that runs as its owner. */
export interface OwnedFile {
  readonly file: string;
  readonly text: string;
  readonly owner: Owner;
  readonly rules: TyrantRules;
  /** As the owner is to see them. */
  readonly host: Host;
  readonly environment: Environment;
  /** It has a section of uWSGI. */
  readonly foreign: boolean;
}

/** The spec of a file, run as its owner; what the owner may not have is told. */
export function owned(spec: VassalSpec, asked: Asked, { file, text, owner, rules, host, environment, foreign }: OwnedFile): VassalSpec {
  const { report } = asked;
  tellSpec(spec, (key) => lineOf(asked, key), report);
  const options = foreign ? foreignOptions(text, file, report) : [];
  tellOptions(options, rules, report);
  // As uWSGI has it, the last mention of an option is what %(…) means.
  const section = table(new Map((options ?? []).map(({ name, value, line }) => [name, { line, value: scalar(value, line) }])), 1);
  const expand = expander(section, () => magicLetters(file, host), environment, report);
  const writes = writingsOf(
    options ?? [],
    (option) => expand(option.value, option.name, option.line),
    (path) => resolveFrom(folderOf(file), path),
  );
  return { ...spec, user: String(owner.uid), group: String(owner.gid), owned: { file, owner, nofollow: rules.nofollow, writes } };
}
