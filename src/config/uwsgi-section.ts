import { ownOptions, readWhole, type ForeignOption } from './foreign-options.ts';
import { expander, magicLetters, type Host } from './placeholders.ts';
import type { Report } from './report.ts';
import { scalar, table } from './tree.ts';

/** A file of uWSGI, as far as its text goes. */
export interface UwsgiFile {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  readonly host: Host;
  /** Where uWSGI starts, absolute. */
  readonly directory: string;
}

/** What the uwsgi section of a file says, in its own words. */
export interface UwsgiSection {
  /** In the order of their lines. */
  readonly options: readonly ForeignOption[];
  /** The value of an option, or a part of it, with its placeholders filled in. Undefined: nobody but uWSGI knows what it means, which was told. */
  readonly expand: (option: ForeignOption, value?: string) => string | undefined;
  /** The last mention of one of these options, with its value. */
  readonly last: (...names: readonly string[]) => { readonly option: ForeignOption; readonly value: string } | undefined;
  /** Tells what is wrong with an option. */
  readonly tell: (option: ForeignOption, message: string, hint: string) => undefined;
}

/** Reads the section. Undefined: it cannot be read as a whole, and why was given to `complain`: a line, and a reason */
export function readUwsgiSection({ file, text, host, directory }: UwsgiFile, report: Report, complain: (line: number | null, reason: string | null) => undefined): UwsgiSection | undefined {
  const reading = readWhole(text, file);
  if (!reading.ok) return complain(reading.faults[0]?.line ?? null, reading.faults[0]?.message ?? null);
  const options = ownOptions(reading.tree);
  const letters = new Map([...magicLetters(file, host), ['x', 'uwsgi'], ['X', 'uwsgi'], ['v', directory]] as const);
  // As uWSGI has it, the last mention of an option is what %(…) means.
  const values = table(new Map(options.map(({ name, value, line }) => [name, { line, value: scalar(value, line) }])), 1);
  const fill = expander(values, () => letters, {}, report);
  const tell = ({ name, line }: ForeignOption, message: string, hint: string): undefined => report.tell('E_KEY_CONFLICT', message, { line, key: name, hint });
  const expand = (option: ForeignOption, value = option.value): string | undefined =>
    /\$\(|@\(/.test(value) ? tell(option, `what "${option.name}" means is known to nobody but uWSGI: it is made of its environment, or of another file`, 'write the value itself') : fill(value, option.name, option.line);
  return {
    options,
    expand,
    tell,
    last(...names) {
      const option = options.findLast(({ name }) => names.includes(name));
      const value = option === undefined ? undefined : expand(option);
      return option === undefined || value === undefined ? undefined : { option, value };
    },
  };
}
