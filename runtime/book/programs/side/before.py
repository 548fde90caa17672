import trio
import trio.testing


async def main():
    scope = trio.CancelScope()
    scope.cancel()
    with scope:
        print("inside")
        await trio.lowlevel.checkpoint()
        print("never")
    print("outside")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
