import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fastify, type FastifyReply, type FastifyServerOptions } from 'fastify';
import { EmperorError, errnoOf, reasonOf, type Code } from '../errors.ts';
import { actorOf, descriptorOf } from './actor.ts';
import type { ControlCommand, ControlPorts, ControlReply } from './command.ts';
import { diff } from './commands/diff.ts';
import { emperor } from './commands/emperor.ts';
import { events } from './commands/events.ts';
import { history } from './commands/history.ts';
import { logs } from './commands/logs.ts';
import { order } from './commands/order.ts';
import { rescan } from './commands/rescan.ts';
import { shutdown } from './commands/shutdown.ts';
import { upgrade } from './commands/upgrade.ts';
import { status, statusOfOne } from './commands/status.ts';
import { why } from './commands/why.ts';
import { ACTOR_HEADER, VERSION_PREFIX, type ErrorReply, type OrderVerb } from './protocol.ts';
import { claim, listenPrivately, type ControlSocket } from './socket.ts';

const ORDERS: readonly OrderVerb[] = ['start', 'stop', 'restart', 'reload', 'pause', 'resume', 'scale', 'rollback'];

/** Everything that can be asked. */
const COMMANDS: readonly ControlCommand[] = [
  emperor, status, statusOfOne, ...ORDERS.map(order), logs, events, history, diff, why, shutdown, upgrade, rescan,
];

/** Largest body of a request: room for many names. */
const MAX_BODY_BYTES = 8 * 2 ** 20;

/** What comes in is parsed by hand, so the schema compilers are never asked. Left to itself, fastify loads them all the same: 10 MB. */
const NO_SCHEMAS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: () => refuseSchema, buildSerializer: () => refuseSchema },
};

function refuseSchema(): never {
  throw new Error('no route of the control socket has a schema');
}

/** A request has to be there in full after this. */
const REQUEST_MS = 30_000;

/**
 * Opens the control socket and answers on it until it is disposed of.
 * Then the socket is gone and every connection with it, but for those that wait for the end of the process.
 * @throws E_EMPEROR_RUNS if another emperor answers there, E_SETTINGS if the socket cannot be made
 */
export async function openControl(socket: ControlSocket, ports: ControlPorts): Promise<AsyncDisposable> {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 8_192 },
    schemaController: NO_SCHEMAS,
    clientErrorHandler: (_error, connection) => refuseConnection(connection),
    frameworkErrors: (error, _request, reply) => void sendError(reply, error, ports),
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, ports));
  app.setNotFoundHandler((request, reply) => sendError(reply, new EmperorError('E_REQUEST', `there is no ${request.method} ${request.url}`), ports, 404));

  const connections = new Set<Socket>();
  const farewells = new Set<Socket>();
  app.server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  for (const command of COMMANDS) {
    app.route({
      method: command.method,
      url: `${VERSION_PREFIX}${command.path}`,
      handler: async (request, reply) => {
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const { params, query, body } = request;
        const actor = (): string => {
          const fd = descriptorOf(request.raw.socket);
          return actorOf(fd === null ? null : ports.nameOfPeer(fd), request.headers[ACTOR_HEADER]);
        };
        const answer = await command.run({ params, query, body, actor, gone: gone.signal }, ports);
        if (answer.kind === 'document') return reply.send(answer.document);
        if (answer.outlivesServer && reply.raw.socket !== null) farewells.add(reply.raw.socket);
        reply.hijack();
        await stream(reply.raw, answer, ports);
        return reply;
      },
    });
  }
  await app.ready();
  if (socket.fd === null) await claim(socket.path);
  await listenPrivately(app.server, socket);
  return {
    // Fastify's own close would wait for every connection; there is nothing else in it to be closed.
    [Symbol.asyncDispose]: async () => close(app.server, connections, farewells),
  };
}

function close(server: HttpServer, connections: ReadonlySet<Socket>, farewells: ReadonlySet<Socket>): void {
  // Removes the socket file, too. We do not wait for its connections: none of them may hold up the end.
  server.close();
  for (const connection of connections) {
    connection.unref();
    if (!farewells.has(connection)) connection.destroySoon();
  }
}

async function stream(response: ServerResponse, { contentType, chunks }: ControlReply & { kind: 'stream' }, { logger }: ControlPorts): Promise<void> {
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    await pipeline(Readable.from(chunks, { objectMode: false }), response);
  } catch (thrown) {
    // An asker that goes away before the end of a feed is the common case.
    if (isPrematureClose(thrown)) return;
    logger.warn({ reason: reasonOf(thrown) }, 'a reply on the control socket broke off');
  }
}

function sendError(reply: FastifyReply, thrown: unknown, { logger }: ControlPorts, status?: number): FastifyReply {
  if (thrown instanceof EmperorError) return reply.code(status ?? httpStatusOf(thrown.code)).send(errorReply(thrown.code, thrown.message));
  // Fastify's own errors about a request carry the status that they call for.
  const statusCode = thrown instanceof Error && 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
  if (statusCode >= 400 && statusCode < 500) return reply.code(statusCode).send(errorReply('E_REQUEST', reasonOf(thrown)));
  logger.error({ err: thrown }, 'a control request met a bug');
  return reply.code(500).send(errorReply('E_BUG', 'the emperor met a bug of its own; its log has more'));
}

function httpStatusOf(code: Code): number {
  if (code === 'E_REQUEST' || code === 'E_VALUE') return 400;
  return code === 'E_NO_VASSAL' ? 404 : 500;
}

function errorReply(code: Code, message: string): ErrorReply {
  return { error: { code, message } };
}

/** What does not even look like HTTP. */
function refuseConnection(connection: Socket): void {
  if (connection.writable) {
    const body = JSON.stringify(errorReply('E_REQUEST', 'this is no HTTP request'));
    connection.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
    return;
  }
  connection.destroy();
}

function isPrematureClose(thrown: unknown): boolean {
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(errnoOf(thrown));
}
