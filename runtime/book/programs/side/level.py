import trio
import trio.testing


async def main():
    with trio.move_on_after(1):
        for attempt in range(1, 4):
            try:
                await trio.sleep(60)
            except trio.Cancelled:
                print("attempt", attempt, "fails at", int(trio.current_time()))
    print("outside")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
