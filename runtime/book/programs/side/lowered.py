import trio
import trio.testing


async def main():
    async def lower(shield):
        await trio.sleep(3)
        shield.shield = False

    async with trio.open_nursery() as n:
        with trio.move_on_after(1):
            with trio.CancelScope(shield=True) as shield:
                n.start_soon(lower, shield)
                await trio.sleep(60)
        print("cancelled at", int(trio.current_time()))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
