# SPDX-License-Identifier: MIT
# asyncio streams: five clients of an echo server in the same loop.
import asyncio

SIZE = 200000


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def client(port, fill):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = bytes([fill]) * SIZE
    writer.write(sent)
    got = await reader.readexactly(SIZE)
    writer.close()
    await writer.wait_closed()
    return got == sent


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(client(port, i) for i in range(5))))
    server.close()
    await server.wait_closed()


asyncio.run(main())
