"""A program's run: what its tasks share, and the tasks themselves."""

import contextvars

import trio
import trio.testing

from .core import Core
from .messages import Broadcast, Messages, Watched
from .outside import Outside
from .pacing import Pacing, RateLimit
from .patterns import Patterns
from .shapes import shape, with_reason
from .sync import Sync
from .threads import Hold, Threads
from .watch import statistics

# When the main task is cancelled, in case a program waits for ever.
LIMIT = 50

STREAMS = {
    "memory": trio.testing.memory_stream_one_way_pair,
    "lockstep": trio.testing.lockstep_stream_one_way_pair,
}


class Machine:
    def __init__(self, program, jitter):
        self.events = [trio.Event() for _ in range(program["events"])]
        self.lock = [trio.Lock() for _ in range(program["locks"])]
        self.conditions = [trio.Condition() for _ in range(program["conditions"])]
        self.semaphore = [trio.Semaphore(value) for value in program["semaphores"]]
        self.limiter = [trio.CapacityLimiter(total) for total in program["limiters"]]
        self.channels = [trio.open_memory_channel(size) for size in program["channels"]]
        self.scopes = [trio.CancelScope() for _ in range(program["scopes"])]
        self.lots = [trio.lowlevel.ParkingLot() for _ in range(program.get("lots", 0))]
        self.streams = [STREAMS[kind]() for kind in program.get("streams", [])]
        self.variables = [contextvars.ContextVar(f"v{i}", default=None) for i in range(4)]
        self.broadcasts = [Broadcast(*made) for made in program.get("broadcasts", [])]
        self.watched = [Watched(0) for _ in range(program.get("watched", 0))]
        self.oneshots = [trio.open_memory_channel(1) for _ in range(program.get("oneshots", 0))]
        self.rates = [RateLimit(*made) for made in program.get("rates", [])]
        self.watch = program.get("watch", [])
        self.hold = Hold(program.get("gates", 0), jitter)
        self.nurseries = {}
        self.statuses = {}
        self.children = {}
        self.signals = None
        self.trace = {}
        self.program = program

    async def main(self):
        if self.hold.open:
            trio.lowlevel.spawn_system_task(self.hold.open_all_at, LIMIT + 5)
        try:
            await self.limited("main", self.program["main"])
        finally:
            self.hold.finish()

    async def limited(self, name, block):
        """A task that nobody else would cancel."""
        with trio.CancelScope(deadline=LIMIT):
            await self.task(name, block, None)

    async def task(self, name, block, status, shut_down=None):
        entries = self.trace.setdefault(name, [])
        me = Task(self, entries, status, shut_down=shut_down)
        try:
            await me.block(block)
        except BaseException as error:
            me.note("end", shape(error))
            raise
        me.note("end", "ok")


class Task(Core, Sync, Messages, Outside, Pacing, Patterns, Threads):
    def __init__(self, machine, entries, status, taken=None, shut_down=None):
        self.machine = machine
        self.entries = entries
        self.status = status
        # Where `take` takes from.
        self.taken = taken
        # What tells of a shutdown, in a task that finishes its work.
        self.shut_down = shut_down

    def note(self, op, outcome):
        if self.machine.hold.open and self.machine.hold.over:
            # The clock is not held for threads any more.
            return
        entry = [round(trio.current_time() * 1024) / 1024, op, outcome]
        if "statistics" in self.machine.watch:
            entry.append(statistics(self.machine))
        self.entries.append(entry)

    async def block(self, block):
        for statement in block:
            await self.statement(statement)

    async def statement(self, statement):
        op, *args = statement
        try:
            outcome = await getattr(self, "do_" + op)(*args)
        except trio.Cancelled as error:
            self.note(op, with_reason(error, "origin" in self.machine.watch))
            raise
        except BaseException as error:
            self.note(op, shape(error))
            raise
        self.note(op, "ok" if outcome is None else outcome)
