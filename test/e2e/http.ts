import { get } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A port of the loopback that nobody has now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** What a server on the loopback answers; null: nobody listens, or the connection broke. */
export async function answer(port: number, path = '/'): Promise<string | null> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
      response.on('error', () => resolve(null));
    }).on('error', () => resolve(null));
  });
}

/** Asks until somebody answers as wanted; each try follows the answer to the one before. */
export async function untilAnswer(port: number, wanted: (text: string) => boolean = () => true, path = '/'): Promise<string> {
  for (;;) {
    const text = await answer(port, path);
    if (text !== null && wanted(text)) return text;
    // A refused connection comes back at once: let the machine do something else in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
