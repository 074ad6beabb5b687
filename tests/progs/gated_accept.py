# SPDX-License-Identifier: MIT
# gated_accept.py: a client waits, select says so, and accept finds nobody.
import select
import signal
import socket
import sys


class Alarm(Exception):
    pass


def ring(*_):
    raise Alarm


def accept(listener):
    """What accept does, within a moment where it waits."""
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        conn, _ = listener.accept()
        return conn.recv(10)
    except Alarm:
        return "blocks"
    except OSError as error:
        return type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    signal.signal(signal.SIGALRM, ring)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(sys.argv[1] == "blocking")
    client = socket.create_connection(listener.getsockname())
    client.sendall(b"hello")
    print("ready", bool(select.select([listener], [], [])[0]), flush=True)
    print(accept(listener), flush=True)
    print("ready", bool(select.select([listener], [], [], 0)[0]), flush=True)
    # until it is there again, if it ever is
    if sys.argv[2] == "back":
        print("ready", bool(select.select([listener], [], [])[0]), flush=True)
        print(accept(listener), flush=True)


main()
