"""The workloads on Python's trio: peer.py WORKLOAD N prints what it has measured, or `none`."""

import re
import sys
import time
from collections.abc import Awaitable, Callable

import trio

Figures = dict[str, float]


class Stopwatch:
    """Wall and CPU time since it was made."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time_ns(), time.perf_counter_ns()

    def per(self, operations: int) -> Figures:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        return {"ns": (wall - self.wall) / operations, "cpu-ns": (cpu - self.cpu) / operations}


def resident_bytes() -> int:
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


async def nothing() -> None:
    pass


async def spawn_join(n: int) -> Figures:
    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(nothing)
    return watch.per(n)


async def yield_times(n: int) -> None:
    for _ in range(n):
        await trio.lowlevel.checkpoint()


async def yields(n: int, tasks: int) -> Figures:
    each = max(n // tasks, 1)
    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(yield_times, each)
    return watch.per(each * tasks)


async def ping_pong(n: int, capacity: int) -> Figures:
    ask, asked = trio.open_memory_channel[int](capacity)
    answer, answered = trio.open_memory_channel[int](capacity)

    async def echo() -> None:
        async for value in asked:
            await answer.send(value)

    async def asker() -> None:
        async with ask:
            for i in range(n):
                await ask.send(i)
                await answered.receive()

    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        nursery.start_soon(asker)
    return watch.per(n)


async def stream(n: int, capacity: int) -> Figures:
    sender, receiver = trio.open_memory_channel[int](capacity)

    async def sink() -> None:
        async for _ in receiver:
            pass

    async def source() -> None:
        async with sender:
            for i in range(n):
                await sender.send(i)

    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sink)
        nursery.start_soon(source)
    return watch.per(n)


async def sleeps(n: int) -> Figures:
    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        for i in range(n):
            nursery.start_soon(trio.sleep, (500 + i * 7919 % 1000) / 1000)
    return watch.per(n)


async def timeout(n: int, inside: Callable[[], Awaitable[None]]) -> Figures:
    watch = Stopwatch()
    for _ in range(n):
        with trio.move_on_after(60):
            await inside()
    return watch.per(n)


async def offload(n: int, tasks: int) -> Figures:
    limiter, each = trio.CapacityLimiter(tasks), max(n // tasks, 1)

    async def caller() -> None:
        for _ in range(each):
            await trio.to_thread.run_sync(int, limiter=limiter)

    watch = Stopwatch()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(caller)
    return watch.per(each * tasks)


async def sleep_minute() -> None:
    await trio.sleep(60)


async def cancel(n: int, blocked: Callable[[], Awaitable[None]]) -> Figures:
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(blocked)
        await yield_times(2)
        watch = Stopwatch()
        nursery.cancel_scope.cancel()
    return watch.per(n)


async def nest(depth: int, yields: int) -> None:
    if depth == 0:
        await yield_times(yields)
    else:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(nest, depth - 1, yields)


async def nest_enter(n: int, depth: int) -> Figures:
    watch = Stopwatch()
    for _ in range(n // depth):
        await nest(depth, 0)
    return watch.per(n // depth * depth)


async def nest_yield(n: int, depth: int) -> Figures:
    watch = Stopwatch()
    await nest(depth, n)
    return watch.per(n)


async def bytes_each(n: int, blocked: Callable[[], Awaitable[None]]) -> Figures:
    before = resident_bytes()
    async with trio.open_nursery() as nursery:
        for _ in range(n):
            nursery.start_soon(blocked)
        await yield_times(2)
        figures = {"bytes": (resident_bytes() - before) / n}
        nursery.cancel_scope.cancel()
    return figures


def find(name: str, n: int) -> Callable[[], Awaitable[Figures]] | None:
    """The workload called `name`; nothing if there is no counterpart."""
    simple = {
        "spawn-join": lambda: spawn_join(n),
        "sleep": lambda: sleeps(n),
        "timeout-ready": lambda: timeout(n, nothing),
        "timeout-yield": lambda: timeout(n, trio.lowlevel.checkpoint),
        "cancel-blocked": lambda: cancel(n, trio.sleep_forever),
        "cancel-sleeping": lambda: cancel(n, sleep_minute),
        "bytes-blocked": lambda: bytes_each(n, trio.sleep_forever),
        "bytes-sleeping": lambda: bytes_each(n, sleep_minute),
    }
    if name in simple:
        return simple[name]
    numbered = {
        "yield": yields,
        "ping-pong": ping_pong,
        "stream": stream,
        "offload": offload,
        "nest-enter": nest_enter,
        "nest-yield": nest_yield,
    }
    match = re.fullmatch(r"(.*)-(\d+)", name)
    if match and match[1] in numbered:
        return lambda: numbered[match[1]](n, int(match[2]))
    return None


if __name__ == "__main__":
    workload = find(sys.argv[1], int(sys.argv[2]))
    if workload is None:
        print("none")
    else:
        for metric, value in trio.run(workload).items():
            print(metric, value)
