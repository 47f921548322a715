import { GUNICORN } from './gunicorn.ts';
import { NODE } from './node.ts';
import type { Preset } from './preset.ts';
import { UWSGI } from './uwsgi.ts';

/** All presets by name, in the order of the alphabet. */
export function presets(): ReadonlyMap<string, Preset> {
  return new Map([GUNICORN, NODE, UWSGI].map((preset) => [preset.name, preset]));
}
