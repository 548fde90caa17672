import trio
import trio.testing


async def main():
    async def producer(sender, name, pause):
        async with sender:
            for i in range(2):
                await trio.sleep(pause)
                await sender.send(f"{name} {i}")

    sender, receiver = trio.open_memory_channel(0)
    async with trio.open_nursery() as n:
        async with sender:
            n.start_soon(producer, sender.clone(), "slow", 2)
            n.start_soon(producer, sender.clone(), "quick", 0.5)
        async for value in receiver:
            print(value)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
