import trio
import trio.testing


async def main():
    async def server(task_status=trio.TASK_STATUS_IGNORED):
        raise ValueError("the port is taken")

    async with trio.open_nursery() as n:
        try:
            await n.start(server)
        except ValueError as error:
            print(error)
        print("the nursery goes on")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
