"""What tasks share: parking lots, limiters on behalf of others, channels that close, streams in memory,
context variables, the status of a task that is being started."""

import trio

from .watch import name_of


class Sync:
    async def do_close_send(self, number):
        self.machine.channels[number][0].close()

    async def do_close_receive(self, number):
        self.machine.channels[number][1].close()

    async def do_put(self, number, value):
        """As `send`, to a channel that may be closed."""
        try:
            await self.machine.channels[number][0].send(value)
        except trio.ClosedResourceError:
            return "closed"
        except trio.BrokenResourceError:
            return "broken"

    async def do_get(self, number):
        try:
            return ["value", await self.machine.channels[number][1].receive()]
        except trio.ClosedResourceError:
            return "closed"
        except trio.EndOfChannel:
            return "end"

    async def do_park(self, number):
        try:
            await self.machine.lots[number].park()
        except trio.BrokenResourceError:
            return "broken"

    async def do_unpark(self, number, count):
        lot = self.machine.lots[number]
        woken = lot.unpark_all() if count is None else lot.unpark(count=count)
        return ["value", [name_of(task) for task in woken]]

    async def do_repark(self, number, other, count):
        lot, other = self.machine.lots[number], self.machine.lots[other]
        if count is None:
            lot.repark_all(other)
        else:
            lot.repark(other, count=count)

    async def do_break_lot(self, number):
        self.machine.lots[number].break_lot()

    async def do_with_for(self, number, who, block):
        limiter = self.machine.limiter[number]
        try:
            await limiter.acquire_on_behalf_of(who)
        except RuntimeError:
            return "misuse"
        self.note("acquired", f"for {who}")
        try:
            await self.block(block)
        finally:
            try:
                limiter.release_on_behalf_of(who)
            except RuntimeError:
                self.note("release_for", "misuse")

    async def do_borrow_nowait(self, number, who):
        try:
            self.machine.limiter[number].acquire_on_behalf_of_nowait(who)
        except RuntimeError:
            return "misuse"
        except trio.WouldBlock:
            return "would_block"

    async def do_release_for(self, number, who):
        try:
            self.machine.limiter[number].release_on_behalf_of(who)
        except RuntimeError:
            return "misuse"

    async def do_set_tokens(self, number, total):
        self.machine.limiter[number].total_tokens = total

    async def do_stream_send(self, number, size):
        try:
            await self.machine.streams[number][0].send_all(bytes(size))
        except trio.ClosedResourceError:
            return "closed"
        except trio.BrokenResourceError:
            return "broken"
        except trio.BusyResourceError:
            return "busy"

    async def do_stream_receive(self, number, size):
        try:
            return ["value", len(await self.machine.streams[number][1].receive_some(size))]
        except trio.ClosedResourceError:
            return "closed"
        except trio.BrokenResourceError:
            return "broken"
        except trio.BusyResourceError:
            return "busy"

    async def do_stream_close(self, number, end):
        await self.machine.streams[number][end].aclose()

    async def do_context_set(self, number, value):
        self.machine.variables[number].set(value)

    async def do_context_get(self, number):
        return ["value", self.machine.variables[number].get()]

    async def do_started_for(self, name, value):
        """Some task says that another is ready."""
        status = self.machine.statuses.get(name)
        if status is None:
            return "unknown"
        try:
            status.started(value)
        except RuntimeError:
            return "misuse"

    async def do_cancel_with(self, number, reason):
        self.machine.scopes[number].cancel(reason)

    async def do_set_timeout(self, number, seconds):
        try:
            self.machine.scopes[number].relative_deadline = seconds
        except RuntimeError:
            return "misuse"

    async def do_effective_deadline(self):
        deadline = trio.current_effective_deadline()
        return ["value", None if deadline in (float("inf"), float("-inf")) else deadline, deadline == float("-inf")]
