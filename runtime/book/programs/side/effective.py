import trio
import trio.testing


async def main():
    with trio.move_on_after(9):
        with trio.move_on_after(5):
            print(int(trio.current_effective_deadline()))
            with trio.CancelScope(shield=True):
                print(trio.current_effective_deadline())


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
