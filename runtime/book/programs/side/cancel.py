import trio
import trio.testing


async def main():
    async def cancel_soon(scope):
        await trio.sleep(1)
        scope.cancel()

    async with trio.open_nursery() as n:
        with trio.CancelScope() as scope:
            n.start_soon(cancel_soon, scope)
            await trio.sleep(60)
            print("never")
        print("caught:", str(scope.cancelled_caught).lower(), "at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
