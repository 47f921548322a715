# What serves.mjs does, with less of a start; where NOTIFY_SOCKET is given it says READY=1 as well, sd_notify(3).  python3 serves.py FIFO
import os, signal, socket, sys, time

def say(word):
    with open(sys.argv[1], 'a') as fifo:
        fifo.write(f'{word} {time.clock_gettime_ns(time.CLOCK_MONOTONIC)}\n')

def end(*_):
    say('term')
    os._exit(0)

signal.signal(signal.SIGTERM, end)
server = socket.socket(fileno=3) if 'LISTEN_FDS' in os.environ else socket.create_server(('127.0.0.1', 0))
say('up')
if 'NOTIFY_SOCKET' in os.environ:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
print('serves', flush=True)
while True:
    client, _ = server.accept()
    client.recv(65536)
    client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nserved\n')
    client.close()
