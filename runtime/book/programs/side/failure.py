import trio
import trio.testing


async def main():
    async def broken():
        await trio.sleep(1)
        raise ValueError("broken")

    try:
        async with trio.open_nursery() as n:
            n.start_soon(broken)
            n.start_soon(trio.sleep, 60)
    except* ValueError as group:
        for error in group.exceptions:
            print(error, "at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
