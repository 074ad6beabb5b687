# SPDX-License-Identifier: MIT
# gated_client.py HOW PORT SECONDS: one request under a time limit, set in one
# of the ways there are; what became of it, a line each.
import asyncio
import errno
import socket
import struct
import sys
import urllib.request

REQUEST = b"GET /big HTTP/1.0\r\n\r\n"
ADDR = ("127.0.0.1", int(sys.argv[2]))
LIMIT = float(sys.argv[3])


def say(what, result):
    if isinstance(result, BaseException):
        result = f"{type(result).__name__} {result}"
    print(what, result, flush=True)


def read_all(conn):
    got = 0
    try:
        while data := conn.recv(65536):
            got += len(data)
        say("end after", got)
    except OSError as error:
        say(f"after {got}:", error)


def settimeout():
    try:
        conn = socket.create_connection(ADDR, timeout=LIMIT)
    except OSError as error:
        say("connect", error)
        return
    conn.sendall(REQUEST)
    read_all(conn)


def sockopt():
    """SO_SNDTIMEO is connect's time-out, too: then it says EINPROGRESS."""
    conn = socket.socket()
    limit = struct.pack("ll", int(LIMIT), int(LIMIT % 1 * 1e6))
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    result = conn.connect_ex(ADDR)
    say("connect", errno.errorcode.get(result, result))
    if result:
        result = conn.connect_ex(ADDR)
        say("connect", errno.errorcode.get(result, result))
        say("SO_ERROR", conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        return
    conn.sendall(REQUEST)
    read_all(conn)


async def request():
    reader, writer = await asyncio.open_connection(*ADDR)
    writer.write(REQUEST)
    data = await reader.read(-1)
    writer.close()
    return len(data)


def wait_for():
    try:
        say("end after", asyncio.run(asyncio.wait_for(request(), LIMIT)))
    except (OSError, asyncio.TimeoutError) as error:
        say("failed", error)


def urllib_():
    url = f"http://127.0.0.1:{ADDR[1]}/big"
    try:
        with urllib.request.urlopen(url, timeout=LIMIT) as answer:
            say("body", len(answer.read()))
    except OSError as error:
        say("failed", error)


{"settimeout": settimeout, "sockopt": sockopt, "wait_for": wait_for,
 "urllib": urllib_}[sys.argv[1]]()
