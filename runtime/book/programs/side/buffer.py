import trio
import trio.testing


async def main():
    sender, receiver = trio.open_memory_channel(2)
    for i in range(3):
        try:
            sender.send_nowait(i)
            print("sent", i)
        except trio.WouldBlock:
            print("full at", i)
    print(receiver.receive_nowait(), receiver.receive_nowait())


trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
