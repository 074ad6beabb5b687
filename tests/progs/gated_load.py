# SPDX-License-Identifier: MIT
# gated_load.py PORT CLIENTS REQUESTS: so many lines to an echo server on each
# connection, one after another; how many came back as they were.
import socket
import sys
import threading

answered = []


def client(port, name, requests):
    with socket.create_connection(("127.0.0.1", port)) as conn:
        lines = conn.makefile("rb")
        for i in range(requests):
            line = b"%d %d\n" % (name, i)
            conn.sendall(line)
            if lines.readline() == line:
                answered.append(line)


def main():
    port, clients, requests = map(int, sys.argv[1:])
    threads = [threading.Thread(target=client, args=(port, i, requests))
               for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(answered))


main()
