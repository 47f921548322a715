import type { Preset, PresetRequest } from '../presets/preset.ts';
import { lineOf, tellConflict, type Asked } from './asked.ts';
import type { Argv } from './command-form.ts';
import { didYouMean } from './nearest.ts';
import { extensionOf } from './path.ts';
import type { VassalKeys } from './schema.ts';

/** What a file starts. */
export type Program =
  | { readonly kind: 'command'; readonly argv: Argv }
  /** `app` is empty where the preset takes none. */
  | { readonly kind: 'server'; readonly preset: Preset; readonly app: string };

/** What it takes to find out. */
export interface Question extends Asked {
  /** The line of the uwsgi section; null if there is none. */
  readonly uwsgiLine: number | null;
  /** The file is a program, and has printed what is read here. */
  readonly printed: boolean;
  /** Absolute path of the file. */
  readonly file: string;
  readonly presets: ReadonlyMap<string, Preset>;
}

/** Decides between a uwsgi section, `server` and `command`. Undefined: a fault was told, here or when the keys were read. */
export function programOf(question: Question): Program | undefined {
  const { given, uwsgiLine, section: { entries, line } } = question;
  if (uwsgiLine !== null) return foreignProgram(question, uwsgiLine);
  const byServer = entries.has('server');
  const byCommand = entries.has('command');
  if (byServer && byCommand) return tellConflict(question, 'command', '"server" and "command" exclude each other', 'remove one of the two');
  if (byServer && entries.has('channel')) tellConflict(question, 'channel', '"channel" is for a command', 'remove it: a server is told as it understands');
  if (byServer) return presetProgram(question);
  for (const key of ['app', 'workers'] as const) {
    if (entries.has(key)) tellConflict(question, key, `"${key}" is for a server`, byCommand ? 'put it into the command' : 'say which one with "server"');
  }
  if (!byCommand) return question.report.tell('E_KEY_MISSING', 'there is neither "command" nor "server"', { line, hint: 'write the program to run as "command"' });
  return given.command === undefined ? undefined : { kind: 'command', argv: given.command };
}

function presetProgram(question: Question): Program | undefined {
  const { given, presets, section, report } = question;
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
  if (!preset.takesWorkers && section.entries.has('workers')) tellConflict(question, 'workers', `server "${server}" has no workers`, 'remove it');
  if (app === undefined) {
    if (section.entries.has('app')) return undefined;
    return report.tell('E_KEY_MISSING', `server "${server}" needs "app"`, { ...place, hint: `for example app = ${preset.app}` });
  }
  if (app.startsWith('-')) return report.tell('E_VALUE', '"app" begins with "-": the server would take it for an option', { ...placeOf(question, 'app'), hint: 'use "command" for options' });
  return { kind: 'server', preset, app };
}

/** A file that uWSGI reads itself. */
function foreignProgram(question: Question, uwsgiLine: number): Program | undefined {
  const { section, presets, file, report } = question;
  for (const key of ['server', 'command', 'app', 'workers', 'channel'] as const) {
    if (section.entries.has(key)) tellConflict(question, key, `"${key}" is not for a file with a uwsgi section`, 'uWSGI runs what its own section says');
  }
  if (extensionOf(file) === '.toml') return report.tell('E_KEY_CONFLICT', 'uWSGI does not read TOML', { line: uwsgiLine, key: 'uwsgi', hint: 'write the file as .ini, .yaml, .json or .xml' });
  if (file.includes(':')) return report.tell('E_NAME', 'uWSGI takes what follows a ":" in a path for the name of a section', { hint: 'rename the file' });
  if (question.printed && !/^[\w./@%+,=-]+$/.test(file)) return report.tell('E_NAME', 'uWSGI gives the path of a program to a shell, unquoted', { hint: 'use letters, digits and . _ - @ % + , = in the path' });
  const preset = presets.get('uwsgi');
  if (preset === undefined) return report.tell('E_SERVER_UNKNOWN', 'there is no preset for uWSGI', { line: uwsgiLine, key: 'uwsgi' });
  return { kind: 'server', preset, app: '' };
}

/** The command line of a program, and the variables that it needs. @param request what the preset is asked for beside the app */
export function commandOf(program: Program, request: Omit<PresetRequest, 'app'>): { readonly argv: Argv; readonly environment: Readonly<Record<string, string>> } {
  if (program.kind === 'command') return { argv: program.argv, environment: {} };
  const asked = { ...request, app: program.app };
  return { argv: program.preset.argv(asked), environment: program.preset.environment?.(asked) ?? {} };
}

function placeOf(question: Question, key: keyof VassalKeys): { readonly key: string; readonly line: number | null } {
  return { key, line: lineOf(question, key) };
}
