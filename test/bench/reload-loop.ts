// The floor: a bare Node program that runs one uWSGI per file and, when the file is touched, tries it and tells the one that runs to reload, with nothing else of an emperor.
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
const trying = new Set<string>();
watch(folder, (_, file) => {
  if (file === null || trying.has(file)) return;
  trying.add(file);
  spawn('uwsgi', ['--socket', '127.0.0.1:0', '--ini', join(folder, file), '--hook-post-app', 'exit:0'], { stdio: 'ignore' }).on('exit', () => {
    trying.delete(file);
    channels.get(file)?.write(RELOAD);
  });
});
process.stdout.write('watching\n');
