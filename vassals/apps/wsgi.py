"""A WSGI application under Python's own small server: http://127.0.0.1:$PORT/"""

import os
from wsgiref.simple_server import make_server


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"hello from Python\n"]


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    with make_server("127.0.0.1", port, application) as server:
        print(f"listening on http://127.0.0.1:{port}/")
        server.serve_forever()
