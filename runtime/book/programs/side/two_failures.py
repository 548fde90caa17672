import trio
import trio.testing


async def main():
    async def fail(text):
        raise ValueError(text)

    try:
        async with trio.open_nursery() as n:
            n.start_soon(fail, "first")
            n.start_soon(fail, "second")
    except* ValueError as group:
        print(sorted(str(error) for error in group.exceptions))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
