import trio
import trio.testing


async def main():
    limiter = trio.CapacityLimiter(1)
    await limiter.acquire()
    print(limiter.borrowed_tokens, limiter.available_tokens)
    try:
        limiter.acquire_on_behalf_of_nowait("somebody else")
    except trio.WouldBlock:
        print("none is left")
    limiter.total_tokens = 2
    limiter.acquire_on_behalf_of_nowait("somebody else")
    print(limiter.borrowed_tokens, limiter.available_tokens)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
