import trio
import trio.testing


async def main():
    async def work(name):
        await trio.sleep(1)
        print(name)

    async with trio.open_nursery() as outer:
        async with trio.open_nursery() as inner:
            inner.start_soon(work, "inner")
        print("the inner one has ended")
        outer.start_soon(work, "outer")
    print("the outer one has ended")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
