/**
 * A Python program that runs Uvicorn on passed sockets. Arguments: the app, the number of workers, then descriptors. Its command
 * line could do so with --fd, but takes that socket for a unix socket: TCP_NODELAY is never set, and an answer on a kept connection
 * waits 40 ms for the client's acknowledgement. Nor does it notice, before 0.30, that its workers have died; here one that ends
 * takes the others along, so that the whole is replaced. At TERM it tells for one second every client that keeps its connection to close it;
 * Uvicorn itself closes them at once, under the next request of a busy client. Exit code 3: the app failed at its lifespan startup, as in Uvicorn itself.
 * Source: uvicorn docs, "Running programmatically"; uvicorn/server.py, uvicorn/supervisors/multiprocess.py.
 */
export const UVICORN_LAUNCHER: string = `
import os, signal, socket, sys, uvicorn

KEPT_S = 1

class Server(uvicorn.Server):
    def handle_exit(self, number, frame):
        if self.leaving or number != signal.SIGTERM:
            return super().handle_exit(number, frame)
        self.leaving = True
        told = [self.config.encoded_headers, self.server_state.default_headers]
        told += [connection.default_headers for connection in self.server_state.connections]
        for headers in {id(each): each for each in told}.values():
            headers.append((b'connection', b'close'))
        signal.setitimer(signal.ITIMER_REAL, KEPT_S)

def serve():
    server = Server(uvicorn.Config(sys.argv[1]))
    server.leaving = False
    signal.signal(signal.SIGALRM, lambda number, frame: server.handle_exit(signal.SIGTERM, frame))
    server.run(sockets=[socket.socket(fileno=int(fd)) for fd in sys.argv[3:]])
    sys.exit(0 if server.started else 3)

def stop(*_):
    while unstopped:
        os.kill(unstopped.pop(), signal.SIGTERM)

if sys.argv[2] == '1':
    serve()
unstopped = set()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
for _ in range(int(sys.argv[2])):
    worker = os.fork()
    if worker == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        serve()
    unstopped.add(worker)
signal.signal(signal.SIGTERM, stop)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
failures = []
for _ in range(int(sys.argv[2])):
    worker, status = os.wait()
    unstopped.discard(worker)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGTERM):
        failures.append(abs(code))
    stop()
sys.exit(failures[0] if failures else 0)
`;
