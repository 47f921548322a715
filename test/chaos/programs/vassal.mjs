// A program with the manners that its arguments name, NAME or NAME=NUMBER:
//   serve      serves the socket that it was passed; TERM lets requests finish       port       opens HOST and PORT itself
//   print=MS   prints a numbered line so often; how far it got is in the file $COUNTS/INSTANCE, written after each line
//   lines=N    so many lines each time            slow=MS    begins after this time
//   deaf       ignores TERM                       crash=MS   ends with exit code 1 at some time before that
//   ends=MS    ends with exit code 0 then         fork       has a child in its group, which it leaves behind
//   hup        takes HUP for a reload
import { spawn } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const manners = new Map(process.argv.slice(2).map((word) => word.split('=')));
const { COUNTS, EMPEROR_INSTANCE, HOST, PORT } = process.env;
const nap = new Int32Array(new SharedArrayBuffer(4));

/** All of it, also where somebody made the descriptor non-blocking. */
function say(text) {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(nap, 0, 0, 5);
    }
  }
}

function print(everyMs, lines) {
  const fd = openSync(join(COUNTS, EMPEROR_INSTANCE), 'w');
  let count = 0;
  return setInterval(() => {
    for (let line = 0; line < lines; line += 1) {
      count += 1;
      say(`LINE ${EMPEROR_INSTANCE} ${count} ${'.'.repeat(count % 50)}\n`);
      writeSync(fd, String(count).padStart(12), 0);
    }
  }, everyMs);
}

function serve() {
  let stopping = false;
  const server = createServer((request, response) => {
    if (stopping) response.setHeader('Connection', 'close');
    response.end(`${process.pid}\n`);
  });
  server.listen(manners.has('port') ? { host: HOST, port: Number(PORT) } : { fd: 3 });
  return (done) => {
    stopping = true;
    setTimeout(() => {
      server.close(done);
    }, 1000);
  };
}

function begin() {
  const printing = manners.has('print') ? print(Number(manners.get('print')), Number(manners.get('lines') ?? 1)) : setInterval(() => {}, 2 ** 30);
  const finish = manners.has('serve') ? serve() : (done) => done();
  process.on('SIGTERM', () => {
    if (!manners.has('deaf')) finish(() => clearInterval(printing));
  });
  if (manners.has('hup')) process.on('SIGHUP', () => say('told to reload\n'));
  if (manners.has('fork')) spawn('/bin/sleep', ['1000'], { stdio: 'inherit' }).unref();
  if (manners.has('crash')) setTimeout(() => process.exit(1), Math.random() * Number(manners.get('crash')));
  if (manners.has('ends')) setTimeout(() => process.exit(0), Number(manners.get('ends')));
}

setTimeout(begin, Number(manners.get('slow') ?? 0));
