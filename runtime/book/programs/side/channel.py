import trio
import trio.testing


async def main():
    async def producer(sender):
        async with sender:
            for i in range(3):
                await sender.send(i)

    sender, receiver = trio.open_memory_channel(0)
    async with trio.open_nursery() as n:
        n.start_soon(producer, sender)
        async for i in receiver:
            print(i)
    print("the channel has ended")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
