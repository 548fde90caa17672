"""An echo server on Python's trio. Prints its address; serves until it is killed."""

import trio


async def echo(stream: trio.SocketStream) -> None:
    try:
        async for data in stream:
            await stream.send_all(data)
    except trio.BrokenResourceError:
        pass


async def main() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    host, port = listeners[0].socket.getsockname()
    print(f"{host}:{port}", flush=True)
    await trio.serve_listeners(echo, listeners)


trio.run(main)
