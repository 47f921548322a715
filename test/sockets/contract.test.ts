import { socketsContract } from '../contracts/sockets.ts';
import { FakeSockets, listenOf } from '../fakes/sockets.ts';
import { KINDS, RealStage } from './stage.ts';

for (const kind of KINDS) socketsContract(`the sockets of this host (${kind})`, () => new RealStage(kind));

socketsContract('the fake', () => {
  const sockets = new FakeSockets();
  let port = 8_000;
  return {
    sockets,
    free: () => Promise.resolve(listenOf({ kind: 'tcp', host: '127.0.0.1', port: (port += 1), v6only: false })),
    visit: (address, door) => Promise.resolve(sockets.visit(address, door)),
    [Symbol.asyncDispose]: () => Promise.resolve(sockets[Symbol.dispose]()),
  };
});
