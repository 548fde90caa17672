import trio
import trio.testing


async def main():
    total = 0

    async def add(number):
        nonlocal total
        await trio.sleep(number)
        total += number

    async with trio.open_nursery() as n:
        for number in range(1, 5):
            n.start_soon(add, number)
    print(total)


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
