// The floor: a bare Node program that keeps one child running per file, with nothing else of a supervisor.
//   node watch-loop.ts FOLDER FIFO [CGROUP]
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, watch } from 'node:fs';

const [folder = '', fifo, cgroup = ''] = process.argv.slice(2);
const children = new Map<string, ChildProcess>();

function start(file: string): void {
  const name = file.replace(/\.toml$/, '');
  const leaf = `${cgroup}/loop/${name}`;
  if (cgroup !== '') mkdirSync(leaf, { recursive: true });
  const enter = cgroup === '' ? '' : `echo 0 > ${leaf}/cgroup.procs; `;
  const script = `${enter}trap 'echo term ${name} > ${fifo}; exit 0' TERM; echo up ${name} > ${fifo}; while :; do sleep 100000 & wait $!; done`;
  const child = spawn('/bin/sh', ['-c', script], { stdio: 'ignore', detached: true });
  children.set(file, child);
  child.once('exit', () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (existsSync(`${folder}/${file}`)) start(file);
  });
}

watch(folder, (_, file) => {
  if (file === null || !file.endsWith('.toml')) return;
  const child = children.get(file);
  if (child === undefined || child.exitCode !== null) {
    if (existsSync(`${folder}/${file}`)) start(file);
  } else {
    child.kill('SIGTERM');
  }
});

process.on('SIGTERM', () => {
  for (const child of children.values()) if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  process.exit(0);
});
process.stdout.write('watching\n');
