import trio
import trio.testing


async def main():
    async def waiter(event):
        await event.wait()
        print("woken at", int(trio.current_time()))

    event = trio.Event()
    async with trio.open_nursery() as n:
        n.start_soon(waiter, event)
        n.start_soon(waiter, event)
        await trio.sleep(1)
        event.set()
    print("set:", str(event.is_set()).lower())


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
