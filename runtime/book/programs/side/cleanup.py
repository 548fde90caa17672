import trio
import trio.testing


async def main():
    with trio.move_on_after(1):
        try:
            await trio.sleep(60)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
                print("cleaned up at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
