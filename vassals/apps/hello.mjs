// A web server that says hello. It takes the socket that the emperor holds, so that the next one can start beside it.
import { createServer } from 'node:http';

const { GREETING, LISTEN_PID } = process.env;
let ending = false;

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  if (ending) response.setHeader('Connection', 'close');
  response.end(`${GREETING} (process ${process.pid})\n`);
});

// sd_listen_fds(3): descriptors from 3 on are sockets for the process that LISTEN_PID names. Started by hand it opens the port itself.
server.listen(LISTEN_PID === String(process.pid) ? { fd: 3 } : { host: '127.0.0.1', port: 18701 }, () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}/`);
});

// A client that keeps its connection learns with its next answer that this is the last one; after a second nobody is left to tell.
process.once('SIGTERM', () => {
  ending = true;
  setTimeout(() => server.close(), 1000);
});
