import trio
import trio.testing


async def main():
    with trio.move_on_after(2) as scope:
        for _ in range(3):
            await trio.sleep(1)
            scope.deadline = trio.current_time() + 2
        await trio.sleep(60)
    print("ended at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
