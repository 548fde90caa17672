import trio
import trio.testing


async def main():
    sender, receiver = trio.open_memory_channel(1)
    receiver.close()
    try:
        await sender.send("a letter")
    except trio.BrokenResourceError:
        print("broken")
    try:
        receiver.receive_nowait()
    except trio.ClosedResourceError:
        print("closed")


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
