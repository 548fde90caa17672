import trio
import trio.testing


async def main():
    async def work(lock, name, delay):
        await trio.sleep(delay)
        async with lock:
            print(name, "has it at", int(trio.current_time()))
            await trio.sleep(10)

    lock = trio.Lock()
    async with trio.open_nursery() as n:
        for delay, name in enumerate(["first", "second", "third"]):
            n.start_soon(work, lock, name, delay)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
