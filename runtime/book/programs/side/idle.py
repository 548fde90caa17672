import trio
import trio.testing


async def main():
    event = trio.Event()

    async def waiter():
        await event.wait()

    async with trio.open_nursery() as n:
        n.start_soon(waiter)
        n.start_soon(waiter)
        await trio.testing.wait_all_tasks_blocked()
        print(event.statistics().tasks_waiting)
        event.set()


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
