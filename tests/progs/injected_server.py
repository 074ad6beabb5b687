# SPDX-License-Identifier: MIT
# injected_server.py reset|eof|hold|whole|sink|full [BYTES]: what rules
# pretend, really done.  Whoever sends a line gets the same answer; when the
# client has read BYTES of it the connection is reset, ended, or nothing more
# comes.  A sink answers nothing, it writes how many bytes came and how they
# ended.  Who connects to a full one hears nothing.  Its port is written first.
import socket
import struct
import sys
import threading
import time

BODY = b"".join(b"%d\n" % i for i in range(1, 20001))
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def has_read(conn):
    """Nothing is under way to the client: the kernel's own table says so."""
    here, there = conn.getsockname()[1], conn.getpeername()[1]
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            _, local, remote, _, queues = line.split()[:5]
            ends = int(local[-4:], 16), int(remote[-4:], 16)
            unsent, unread = (int(queue, 16) for queue in queues.split(":"))
            if (ends == (there, here) and unread) or (
                    ends == (here, there) and unsent):
                return False
    return True


def whole(request):
    return b"\n" in request and (not request.startswith(b"GET") or
                                 b"\r\n\r\n" in request)


def answer(conn, end, size):
    request = b""
    while not whole(request):
        more = conn.recv(4096)
        if not more:
            return
        request += more
    conn.sendall(ANSWER[:size])
    if end == "hold":
        threading.Event().wait()
    elif end == "reset":
        limit = time.monotonic() + 15
        while not has_read(conn) and time.monotonic() < limit:
            pass
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))


def sink(conn):
    count = 0
    try:
        while more := conn.recv(65536):
            count += len(more)
        print(count, "end", flush=True)
    except OSError as error:
        print(count, error.strerror, flush=True)


def serve(conn, end, size):
    with conn:
        try:
            sink(conn) if end == "sink" else answer(conn, end, size)
        except OSError:
            pass


def main():
    end = sys.argv[1]
    size = int(sys.argv[2]) if len(sys.argv) > 2 else len(ANSWER)
    full = end == "full"
    listener = socket.create_server(("127.0.0.1", 0),
                                    backlog=0 if full else None)
    if full:        # a queue of one, taken: further SYNs are dropped
        first = socket.create_connection(listener.getsockname())
    print(listener.getsockname()[1], flush=True)
    while full:
        threading.Event().wait()
    while True:
        threading.Thread(target=serve, daemon=True,
                         args=(listener.accept()[0], end, size)).start()


main()
