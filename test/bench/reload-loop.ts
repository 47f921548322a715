// The floor: a bare Node program that runs one uWSGI per file and tells it to reload when the file is touched, with nothing else of an emperor.
//   node reload-loop.ts FOLDER
import { spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';

const RELOAD = Uint8Array.of(1);
const [folder = ''] = process.argv.slice(2);
const channels = new Map<string, Duplex>();

for (const file of readdirSync(folder)) {
  const child = spawn('uwsgi', ['--ini', join(folder, file)], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: { ...process.env, UWSGI_EMPEROR_FD: '3' } });
  channels.set(file, child.stdio[3] as Duplex);
}
watch(folder, (_, file) => channels.get(file ?? '')?.write(RELOAD));
process.stdout.write('watching\n');
