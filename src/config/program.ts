import type { Preset } from '../presets/preset.ts';
import type { Argv } from './command-form.ts';
import type { Given } from './keys.ts';
import { didYouMean } from './nearest.ts';
import { extensionOf } from './path.ts';
import type { Report } from './report.ts';
import type { VassalKeys } from './schema.ts';
import type { Sections } from './sections.ts';

/** What a file starts. */
export interface Program {
  /** null: a plain command. */
  readonly preset: Preset | null;
  readonly argv: Argv;
}

/** What it takes to find out. */
export interface Question {
  readonly sections: Sections;
  readonly given: Given<VassalKeys>;
  /** Absolute path of the file. */
  readonly file: string;
  readonly presets: ReadonlyMap<string, Preset>;
  readonly report: Report;
}

/** Decides between a uwsgi section, `server` and `command`. Undefined: a fault was told, here or when the keys were read. */
export function programOf(question: Question): Program | undefined {
  const { sections, given } = question;
  if (sections.uwsgiLine !== null) return foreignProgram(question, sections.uwsgiLine);
  const { entries, line } = sections.vassal;
  const byServer = entries.has('server');
  const byCommand = entries.has('command');
  if (byServer && byCommand) return tellConflict(question, 'command', '"server" and "command" exclude each other', 'remove one of the two');
  if (byServer) return presetProgram(question);
  for (const key of ['app', 'workers'] as const) {
    if (entries.has(key)) tellConflict(question, key, `"${key}" is for a server`, byCommand ? 'put it into the command' : 'say which one with "server"');
  }
  if (!byCommand) return question.report.tell('E_KEY_MISSING', 'there is neither "command" nor "server"', { line, hint: 'write the program to run as "command"' });
  return given.command === undefined ? undefined : { preset: null, argv: given.command };
}

function presetProgram(question: Question): Program | undefined {
  const { given, presets, file, report } = question;
  const { server, app } = given;
  if (server === undefined) return undefined;
  const place = placeOf(question, 'server');
  const preset = presets.get(server);
  if (preset === undefined) {
    const names = [...presets.keys()];
    const known = `known are ${names.join(', ')}`;
    return report.tell('E_SERVER_UNKNOWN', `unknown server "${server}" (${known})`, { ...place, hint: didYouMean(server, names) ?? 'or start it with "command"' });
  }
  if (preset.app === null) return report.tell('E_KEY_MISSING', `server "${server}" needs a section "${server}" in the file`, { ...place, hint: `write its own configuration under "${server}", or use "command"` });
  if (!preset.takesWorkers && question.sections.vassal.entries.has('workers')) tellConflict(question, 'workers', `server "${server}" has no workers`, 'remove it');
  if (app === undefined) {
    if (question.sections.vassal.entries.has('app')) return undefined;
    return report.tell('E_KEY_MISSING', `server "${server}" needs "app"`, { ...place, hint: `for example app = ${preset.app}` });
  }
  if (app.startsWith('-')) return report.tell('E_VALUE', '"app" begins with "-": the server would take it for an option', { ...placeOf(question, 'app'), hint: 'use "command" for options' });
  return { preset, argv: preset.argv({ app, workers: given.workers ?? null, file }) };
}

/** A file that uWSGI reads itself. */
function foreignProgram(question: Question, uwsgiLine: number): Program | undefined {
  const { sections, presets, file, report } = question;
  for (const key of ['server', 'command', 'app', 'workers'] as const) {
    if (sections.vassal.entries.has(key)) tellConflict(question, key, `"${key}" is not for a file with a uwsgi section`, 'uWSGI runs what its own section says');
  }
  if (extensionOf(file) === '.toml') return report.tell('E_KEY_CONFLICT', 'uWSGI does not read TOML', { line: uwsgiLine, key: 'uwsgi', hint: 'write the file as .ini, .yaml, .json or .xml' });
  if (file.includes(':')) return report.tell('E_NAME', 'uWSGI takes what follows a ":" in a path for the name of a section', { hint: 'rename the file' });
  const preset = presets.get('uwsgi');
  if (preset === undefined) return report.tell('E_SERVER_UNKNOWN', 'there is no preset for uWSGI', { line: uwsgiLine, key: 'uwsgi' });
  return { preset, argv: preset.argv({ app: '', workers: null, file }) };
}

function tellConflict(question: Question, key: keyof VassalKeys, message: string, hint: string): undefined {
  return question.report.tell('E_KEY_CONFLICT', message, { ...placeOf(question, key), hint });
}

function placeOf({ sections }: Question, key: keyof VassalKeys): { readonly key: string; readonly line: number | null } {
  return { key, line: sections.vassal.entries.get(key)?.line ?? null };
}
