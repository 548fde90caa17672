import trio
import trio.testing


async def main():
    with trio.move_on_after(1) as outer:
        with trio.move_on_after(5) as inner:
            await trio.sleep(60)
        print("never")
    print(str(outer.cancelled_caught).lower(), str(inner.cancelled_caught).lower())


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
