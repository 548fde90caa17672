"""The workloads on Python's trio: peer.py WORKLOAD N WARM_UP prints what it has measured, or `none`.

A run of the size WARM_UP comes before the one that counts, unless it is 0.
"""

import random
import re
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

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


async def gathers(n: int, tasks: int) -> Figures:
    async def number(place: int) -> None:
        await trio.lowlevel.checkpoint()
        numbers[place] = place

    watch = Stopwatch()
    for _ in range(n // tasks):
        numbers = [0] * tasks
        async with trio.open_nursery() as nursery:
            for place in range(tasks):
                nursery.start_soon(number, place)
    return watch.per(n)


async def races(n: int) -> Figures:
    async def quick(scope: trio.CancelScope) -> None:
        await trio.lowlevel.checkpoint()
        scope.cancel()

    watch = Stopwatch()
    for _ in range(n):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(quick, nursery.cancel_scope)
            nursery.start_soon(trio.sleep_forever)
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


async def nest(depth: int, bottom: Callable[[], Awaitable[None]]) -> None:
    """Nurseries within nurseries, and a task at the bottom."""
    if depth == 0:
        await bottom()
    else:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(nest, depth - 1, bottom)


async def nest_enter(n: int, depth: int) -> Figures:
    watch = Stopwatch()
    for _ in range(n // depth):
        await nest(depth, nothing)
    return watch.per(n // depth * depth)


async def nest_yield(n: int, depth: int) -> Figures:
    watch = Stopwatch()
    await nest(depth, partial(yield_times, n))
    return watch.per(n)


class Bell:
    """A bell that one task hears: the smallest thing that blocks."""

    def __init__(self) -> None:
        self.rung = False
        self.listener: trio.lowlevel.Task | None = None

    def ring(self) -> None:
        """Wakes the task that listens; if there is none yet, the next one is not kept waiting."""
        if self.listener is None:
            self.rung = True
        else:
            trio.lowlevel.reschedule(self.listener)
            self.listener = None

    async def heard(self) -> None:
        """Waits until it has been rung since the last time."""
        if self.rung:
            self.rung = False
            return
        self.listener = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self.abort)

    def abort(self, _: object) -> trio.lowlevel.Abort:
        self.listener = None
        return trio.lowlevel.Abort.SUCCEEDED


class Belfry:
    """Many tasks, each with a bell, of which one at a time is rung and rings back."""

    def __init__(self, tasks: int) -> None:
        self.bells = [Bell() for _ in range(tasks)]
        self.answered = Bell()

    async def answer(self, which: int) -> None:
        """What task number `which` does, until it is cancelled."""
        while True:
            await self.bells[which].heard()
            self.answered.ring()

    async def ring(self, order: list[Bell]) -> None:
        for bell in order:
            bell.ring()
            await self.answered.heard()

    async def time(self, n: int) -> Figures:
        """Times `n` rings in no order, after some that are not counted."""
        await self.ring(random.choices(self.bells, k=n // 10))
        order = random.choices(self.bells, k=n)
        watch = Stopwatch()
        await self.ring(order)
        return watch.per(n)


async def nest_wake(n: int, depth: int) -> Figures:
    belfry = Belfry(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(nest, depth, partial(belfry.answer, 0))
        figures = await belfry.time(n)
        nursery.cancel_scope.cancel()
    return figures


async def wake_one(n: int, tasks: int) -> Figures:
    belfry = Belfry(tasks)
    async with trio.open_nursery() as nursery:
        for which in range(tasks):
            nursery.start_soon(belfry.answer, which)
        await yield_times(2)
        figures = await belfry.time(n)
        nursery.cancel_scope.cancel()
    return figures


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
        "race-2": lambda: races(n),
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
    # A million tasks would take gigabytes, and longer to start than all else: `wake-one-of-1M` is left out.
    numbers = {"1k": 1_000, "100k": 100_000}
    numbered = {
        "yield": yields,
        "ping-pong": ping_pong,
        "stream": stream,
        "gather": gathers,
        "offload": offload,
        "nest-enter": nest_enter,
        "nest-yield": nest_yield,
        "nest-wake": nest_wake,
        "wake-one-of": wake_one,
    }
    match = re.fullmatch(r"(.*)-(\w+)", name)
    if match is None or match[1] not in numbered or not (match[2].isdigit() or match[2] in numbers):
        return None
    number = numbers.get(match[2]) or int(match[2])
    return lambda: numbered[match[1]](n, number)


def main(name: str, n: int, warm_up: int) -> None:
    workload = find(name, n)
    if workload is None:
        print("none")
        return
    if warm_up > 0:
        trio.run(find(name, warm_up))
    for metric, value in trio.run(workload).items():
        print(metric, value)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
