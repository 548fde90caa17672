import trio
import trio.testing


async def main():
    async def work(semaphore, name, delay):
        await trio.sleep(delay)
        async with semaphore:
            print(name, "at", int(trio.current_time()))
            await trio.sleep(10)

    semaphore = trio.Semaphore(2)
    async with trio.open_nursery() as n:
        for i in range(4):
            n.start_soon(work, semaphore, i, i)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
