"""When and how often something is done again, as a program of trio's would write it: retries, a rate limit,
supervision."""

import math

import trio

from .patterns import divided
from .shapes import UserError, shape


class TooManyRestarts(UserError):
    pass


class RateLimit:
    """A token bucket: `burst` tokens at most, and `count` new ones in each period."""

    def __init__(self, count, period, burst):
        self.interval, self.burst = period / count, burst
        self.tokens, self.counted_at = burst, None
        self.first_in_queue = trio.Semaphore(1)

    def take(self, wanted):
        """Takes so many tokens, or returns when they will be there."""
        now = trio.current_time()
        if self.counted_at is not None:
            self.tokens = min(self.burst, self.tokens + (now - self.counted_at) / self.interval)
        self.counted_at = now
        if self.tokens < wanted:
            return now + (wanted - self.tokens) * self.interval
        self.tokens -= wanted
        return None

    async def acquire(self, wanted):
        async with self.first_in_queue:
            while (at := self.take(wanted)) is not None:
                await trio.sleep_until(at)


def delays(delay, factor, longest):
    while True:
        delay = min(delay, longest)
        yield delay
        delay *= factor


class Budget:
    """How often tasks may be begun again within a time."""

    def __init__(self, restarts, within):
        self.restarts, self.within = restarts, within
        self.used = []

    async def pause(self, error, pauses):
        """Waits until what has failed may begin again; raises if it may not."""
        if divided(error)[0] is not None:
            raise error
        now = trio.current_time()
        self.used = [time for time in self.used if time >= now - self.within]
        if len(self.used) >= self.restarts:
            raise TooManyRestarts("TooManyRestarts") from error
        self.used.append(now)
        await trio.sleep(pauses.next(now - self.within))
        pauses.begun_at = trio.current_time()


class Pauses:
    def __init__(self, first):
        self.first = self.coming = first
        self.begun_at = trio.current_time()

    def next(self, well_since):
        if self.begun_at < well_since:
            self.coming = self.first
        pause, self.coming = self.coming, 2 * self.coming
        return pause


class Pacing:
    async def do_retry(self, first, factor, longest, timeout, blocks):
        deadline = math.inf if timeout is None else trio.current_time() + timeout
        failure = None
        for number, (block, delay) in enumerate(zip(blocks, delays(first, factor, longest)), 1):
            former = failure
            try:
                with trio.CancelScope(deadline=deadline) as scope:
                    await self.block(block)
            except BaseException as error:
                if divided(error)[0] is not None:
                    raise
                failure = error
            else:
                if scope.cancelled_caught:
                    return ["gave_up", number, True, "TooSlow" if former is None else shape(former)]
                return ["done", number]
            late = trio.current_time() + delay > deadline
            if number == len(blocks) or late:
                return ["gave_up", number, number < len(blocks), shape(failure)]
            await trio.sleep(delay)

    async def do_take_tokens(self, number, count):
        await self.machine.rates[number].acquire(count)

    async def do_take_token_nowait(self, number):
        rate = self.machine.rates[number]
        try:
            rate.first_in_queue.acquire_nowait()
        except trio.WouldBlock:
            return "would_block"
        taken = rate.take(1) is None
        rate.first_in_queue.release()
        return "ok" if taken else "would_block"

    async def do_supervise(self, strategy, restarts, within, pause, tasks):
        budget = Budget(restarts, within)
        begun = {name: 0 for name, _ in tasks}

        async def begin(name, blocks):
            """Each beginning does the next block, and the last does nothing."""
            number = begun[name]
            begun[name] += 1
            await self.machine.task(name, blocks[number] if number < len(blocks) else [], None)

        async def one(name, blocks):
            pauses = Pauses(pause)
            while True:
                try:
                    return await begin(name, blocks)
                except BaseException as error:
                    failure = error
                await budget.pause(failure, pauses)

        if strategy == "one_for_one":
            async with trio.open_nursery() as nursery:
                for name, blocks in tasks:
                    nursery.start_soon(one, name, blocks, name=name)
            return
        pauses = Pauses(pause)
        while True:
            try:
                async with trio.open_nursery() as nursery:
                    for name, blocks in tasks:
                        nursery.start_soon(begin, name, blocks, name=name)
                return
            except BaseException as error:
                failure = error
            await budget.pause(failure, pauses)
