import trio
import trio.testing


async def main():
    async def worker(seconds):
        await trio.sleep(seconds)
        print("ended after", seconds)

    async with trio.open_nursery() as n:
        n.start_soon(worker, 2)
        n.start_soon(worker, 1)
        print("the body ends")
    print("the nursery has ended at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
