"""Becomes the grandchild of the process that was started, which says so (sd_notify(3), MAINPID) and ends; then serves as the program in its first argument does."""
import array
import os
import runpy
import signal
import socket
import sys


def notify(text):
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect(os.environ["NOTIFY_SOCKET"])
    sender.send(text.encode())
    reading, writing = os.pipe()
    sender.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing]))])
    os.close(writing)
    os.read(reading, 1)


reading, writing = os.pipe()
if os.fork() == 0:
    if os.fork() != 0:
        os._exit(0)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.close(reading)
    os.write(writing, str(os.getpid()).encode())
    os.close(writing)
    runpy.run_path(sys.argv[1], run_name="__main__")
    os._exit(0)
os.close(writing)
os.wait()
pid = os.read(reading, 32).decode()
notify(f"MAINPID={pid}\nREADY=1")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
