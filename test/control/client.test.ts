import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { controlClient } from '../../src/control/client.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { host, me, temporaryFolder } from './host.ts';

/** Something that answers every connection in its own way. */
async function stranger(answer: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(), 'control.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('data', () => answer(socket));
  }).listen(path);
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, 'listening');
  return path;
}

describe('the client', () => {
  it.each([
    ['nothing is there', async () => join(temporaryFolder(), 'control.sock'), 'E_NO_EMPEROR', 'there is no such socket; start one with "emperor run"'],
    ['the path is too long', async () => join(temporaryFolder(), 'x'.repeat(200)), 'E_NO_EMPEROR', 'no emperor answers on'],
    ['nobody listens', async () => {
      const path = await stranger(() => {});
      chmodSync(path, 0o600);
      return `${path}/..`;
    }, 'E_NO_EMPEROR', 'no emperor answers on'],
    ['it hangs up', async () => stranger((socket) => socket.destroy()), 'E_NO_EMPEROR', 'went away before it had answered'],
    ['it stops half way', async () => stranger((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"em')), 'E_NO_EMPEROR', 'went away before it had answered'],
    ['it is no emperor', async () => stranger((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')), 'E_NO_EMPEROR', 'is no emperor'],
    ['it refuses in other words', async () => stranger((socket) => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}')), 'E_NO_EMPEROR', 'status 404'],
    ['it is silent', async () => stranger(() => {}), 'E_TIMEOUT', 'did not answer within 0.2 s'],
  ] as const)('says so when %s', async (_what, make, code, message) => {
    await expect(controlClient(await make(), 'me', 200).status(null)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('passes on what the emperor refuses', async () => {
    const { path } = await host();
    await expect(controlClient(path, 'me').status('ghost')).rejects.toMatchObject({ name: 'EmperorError', code: 'E_NO_VASSAL', message: 'there is no vassal "ghost"' });
  });

  it('tells what it is claimed to be, in any script', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    const { path } = await host({ emperor });
    await controlClient(path, 'Jürgen "商"').order({ verb: 'start' }, ['shop'], null);
    expect(emperor.posted).toMatchObject([{ actor: `${me()} claiming "Jürgen \\"商\\""` }]);
  });

  it('says all that an order says', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', {}, 'one'));
    emperor.rise('shop');
    emperor.list(declare('shop', {}, 'two', 2));
    const { path } = await host({ emperor });
    const client = controlClient(path, 'me');
    await client.order({ verb: 'scale', instances: 3 }, ['shop'], null);
    await client.order({ verb: 'rollback', revision: null }, ['shop'], null);
    await client.order({ verb: 'rollback', revision: 1 }, ['shop'], null);
    expect(emperor.posted).toMatchObject([{ verb: 'scale', instances: 3 }, { verb: 'rollback', to: { number: 1 } }, { verb: 'rollback', to: { number: 1 } }]);
  });

  it.each(['shop', 'a b/c?d', '商店'])('reads what is known of %j', async (name) => {
    const emperor = new FakeEmperor();
    emperor.list(declare(name, {}, 'one'));
    emperor.list(declare(name, {}, 'two', 2));
    const { path } = await host({ emperor });
    const client = controlClient(path, 'me');
    expect(await client.history(name)).toMatchObject({ name, revisions: [{ number: 1 }, { number: 2 }] });
    expect(await client.diff(name, null, null)).toMatchObject({ name, from: { text: 'one' }, to: { text: 'two' } });
    expect(await client.diff(name, 2, 1)).toMatchObject({ from: { number: 2 }, to: { number: 1 } });
    expect(await client.why(name)).toMatchObject({ name, state: 'reloading' });
  });

  it('waits no longer than its patience for the emperor to go', async () => {
    const { path } = await host();
    for (const patience of [AbortSignal.timeout(50), AbortSignal.abort()]) {
      await expect(controlClient(path, 'me').shutdown(false, true, patience)).rejects.toMatchObject({ code: 'E_TIMEOUT' });
    }
  });
});
