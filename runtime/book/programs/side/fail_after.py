import trio
import trio.testing


async def main():
    try:
        with trio.fail_after(2):
            await trio.sleep(60)
    except trio.TooSlowError:
        print("too slow, at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
