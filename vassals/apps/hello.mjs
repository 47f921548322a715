// A web server that says hello, and that ends its requests before it ends itself.
import { createServer } from 'node:http';

const { PORT, GREETING } = process.env;

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.end(`${GREETING} (process ${process.pid})\n`);
});

server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${PORT}/`));

process.on('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
