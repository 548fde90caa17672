import trio
import trio.testing


async def main():
    def blocking(text):
        return trio.from_thread.run_sync(lambda: text.upper())

    print(await trio.to_thread.run_sync(blocking, "hello"))


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
