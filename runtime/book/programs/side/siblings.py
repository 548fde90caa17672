import trio
import trio.testing


async def main():
    async def second():
        print("second")

    async def first(n):
        print("first")
        n.start_soon(second)

    async with trio.open_nursery() as n:
        n.start_soon(first, n)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
