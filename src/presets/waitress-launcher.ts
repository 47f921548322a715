/**
 * A Python program that runs waitress on passed sockets, which its command line cannot do. Arguments: the app, then descriptors.
 * At TERM, where the command line of waitress would die at once, it takes no further connections and answers what it has read.
 * Connections that are kept get one more second: a request in it is answered with "Connection: close", so the client sees no reset.
 * Source: waitress docs, "Arguments to waitress.serve" (sockets); waitress/server.py, waitress/channel.py.
 */
export const WAITRESS_LAUNCHER: string = `
import signal, socket, sys, time
from pkgutil import resolve_name
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

KEPT_S = 1
until = []
signal.signal(signal.SIGTERM, lambda *_: until.append(time.monotonic() + KEPT_S))

class Channel(HTTPChannel):
    def service(self):
        for request in self.requests if until else []:
            request.headers['CONNECTION'] = 'close'
        super().service()

BaseWSGIServer.channel_class = Channel
opened = {}
sockets = [socket.socket(fileno=int(fd)) for fd in sys.argv[2:]]
create_server(resolve_name(sys.argv[1]), map=opened, sockets=sockets)
while not until or any(isinstance(item, Channel) for item in opened.values()):
    wasyncore.loop(timeout=0.25, use_poll=True, map=opened, count=1)
    for item in list(opened.values()) if until else []:
        if isinstance(item, BaseWSGIServer):
            item.accepting = False
        elif isinstance(item, Channel) and time.monotonic() > until[0] and not item.requests and not item.total_outbufs_len:
            item.handle_close()
`;
