import trio
import trio.testing


async def main():
    items = []
    condition = trio.Condition()

    async def consumer():
        async with condition:
            while not items:
                await condition.wait()
            print("took", items.pop(), "at", int(trio.current_time()))

    async with trio.open_nursery() as n:
        n.start_soon(consumer)
        await trio.sleep(1)
        async with condition:
            items.append("apple")
            condition.notify()


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
