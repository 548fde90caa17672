import trio
import trio.testing


async def main():
    async def server(task_status=trio.TASK_STATUS_IGNORED):
        await trio.sleep(1)
        task_status.started(8080)
        await trio.sleep_forever()

    async with trio.open_nursery() as n:
        port = await n.start(server)
        print("port", port, "at", int(trio.current_time()))
        n.cancel_scope.cancel()


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
