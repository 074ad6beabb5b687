# SPDX-License-Identifier: MIT
# An asyncio server that answers what it gets: CPU time until its last client
# has gone, in ms.  The port is the first line, the time is the second.
import asyncio
import time

here = 0
begin = 0.0


async def serve(reader, writer):
    global here, begin
    if not here:
        begin = begin or time.process_time()
    here += 1
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()
    here -= 1
    if not here:
        over.set()


async def main():
    global over
    over = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    print("%.1f" % ((time.process_time() - begin) * 1e3))


asyncio.run(main())
