// The floor: listens on COUNT addresses, as fast as bare Node can.  node listen-loop.ts COUNT FIFO
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { addressOf } from './servers.ts';

const [count, fifo = ''] = process.argv.slice(2);
for (let each = 0; each < Number(count); each += 1) await once(createServer().listen(addressOf(each)), 'listening');
writeFileSync(fifo, 'up all\n', { flag: 'a' });
