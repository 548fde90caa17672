import trio
import trio.testing


async def main():
    with trio.move_on_after(2) as scope:
        await trio.sleep(60)
    print("cut short" if scope.cancelled_caught else "in time")
    with trio.move_on_after(2) as scope:
        await trio.sleep(1)
    print("cut short" if scope.cancelled_caught else "in time")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
