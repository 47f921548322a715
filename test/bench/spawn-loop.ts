// The floor: starts COUNT children, as fast as bare Node can.  node spawn-loop.ts COUNT FIFO
import { spawn } from 'node:child_process';

const [count, fifo] = process.argv.slice(2);
for (let each = 0; each < Number(count); each += 1) {
  spawn('/bin/sh', ['-c', `echo up v${each} > ${fifo}; exec sleep 100000`], { stdio: 'ignore', detached: true });
}
