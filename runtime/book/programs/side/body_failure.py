import trio
import trio.testing


async def main():
    async def child():
        try:
            await trio.sleep(60)
        except trio.Cancelled:
            print("the child is cancelled")
            raise

    try:
        async with trio.open_nursery() as n:
            n.start_soon(child)
            await trio.sleep(1)
            raise ValueError("the body fails")
    except* ValueError as group:
        print(group.exceptions[0])


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
