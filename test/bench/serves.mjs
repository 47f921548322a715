// Serves HTTP on the socket that it was passed, sd_listen_fds(3), else on one of its own: says `up` just before it says that it is ready,
// and `term` when it is told to end, each with the moment in ns of CLOCK_MONOTONIC.  node serves.mjs FIFO
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const fifo = process.argv[2];
const say = (word) => writeFileSync(fifo, `${word} ${process.hrtime.bigint()}\n`, { flag: 'a' });

process.on('SIGTERM', () => {
  say('term');
  process.exit(0);
});
createServer((_, response) => response.end('served\n')).listen(process.env.LISTEN_FDS === undefined ? { port: 0, host: '127.0.0.1' } : { fd: 3 }, () => {
  say('up');
  process.stdout.write('serves\n');
});
