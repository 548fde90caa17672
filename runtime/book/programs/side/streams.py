import trio
import trio.testing


async def main():
    async def echo(stream):
        async for data in stream:
            await stream.send_all(data)
        await stream.send_eof()

    client, server = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as n:
        n.start_soon(echo, server)
        await client.send_all(b"hello")
        print((await client.receive_some()).decode())
        await client.send_eof()
        print(len(await client.receive_some()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
