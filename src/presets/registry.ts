import { GUNICORN } from './gunicorn.ts';
import { HYPERCORN } from './hypercorn.ts';
import { MOD_WSGI_EXPRESS } from './mod-wsgi-express.ts';
import { NODE } from './node.ts';
import { PHP_FPM } from './php-fpm.ts';
import type { Preset } from './preset.ts';
import { PUMA } from './puma.ts';
import { PYTHON } from './python.ts';
import { UVICORN } from './uvicorn.ts';
import { UWSGI } from './uwsgi.ts';
import { WAITRESS } from './waitress.ts';

/** All presets by name, in the order of the alphabet. */
export function presets(): ReadonlyMap<string, Preset> {
  return new Map([GUNICORN, HYPERCORN, MOD_WSGI_EXPRESS, NODE, PHP_FPM, PUMA, PYTHON, UVICORN, UWSGI, WAITRESS].map((preset) => [preset.name, preset]));
}
