"""Runs programs on trio: reads one JSON object a line, prints {"program", "trace"} for each whose
trace does not depend on the order in which trio runs the tasks of a batch. `--stats` counts what
occurred on standard error."""

import collections
import json
import math
import random
import sys

import trio
import trio.testing
from trio._core import _run

LIMIT = 50
# In how many orders each program is run, to find out whether it depends on the order.
ORDERS = 12


class UserError(Exception):
    pass


def shape(error):
    if isinstance(error, BaseExceptionGroup):
        members = sorted((shape(member) for member in error.exceptions), key=json.dumps)
        return {"group": members}
    if isinstance(error, trio.Cancelled):
        return "cancelled"
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, RuntimeError):
        return "RuntimeError"
    raise AssertionError(f"unforeseen: {error!r}") from error


class Machine:
    def __init__(self, program):
        self.events = [trio.Event() for _ in range(program["events"])]
        self.lock = [trio.Lock() for _ in range(program["locks"])]
        self.conditions = [trio.Condition() for _ in range(program["conditions"])]
        self.semaphore = [trio.Semaphore(value) for value in program["semaphores"]]
        self.limiter = [trio.CapacityLimiter(total) for total in program["limiters"]]
        self.channels = [trio.open_memory_channel(size) for size in program["channels"]]
        self.scopes = [trio.CancelScope() for _ in range(program["scopes"])]
        self.nurseries = {}
        self.trace = {}
        self.program = program

    async def main(self):
        with trio.CancelScope(deadline=trio.current_time() + LIMIT):
            await self.task("main", self.program["main"], None)

    async def task(self, name, block, status):
        entries = self.trace.setdefault(name, [])
        me = Task(self, entries, status)
        try:
            await me.block(block)
        except BaseException as error:
            me.note("end", shape(error))
            raise
        me.note("end", "ok")


class Task:
    def __init__(self, machine, entries, status):
        self.machine = machine
        self.entries = entries
        self.status = status

    def note(self, op, outcome):
        self.entries.append([round(trio.current_time() * 1024) / 1024, op, outcome])

    async def block(self, block):
        for statement in block:
            await self.statement(statement)

    async def statement(self, statement):
        op, *args = statement
        try:
            outcome = await getattr(self, "do_" + op)(*args)
        except trio.Cancelled as error:
            self.note(op, ["cancelled", error.source, error.reason if error.source == "explicit" else None])
            raise
        except BaseException as error:
            self.note(op, shape(error))
            raise
        self.note(op, "ok" if outcome is None else outcome)

    async def do_sleep(self, seconds):
        await trio.sleep(seconds)

    async def do_sleep_forever(self):
        await trio.sleep_forever()

    async def do_checkpoint(self):
        await trio.lowlevel.checkpoint()

    async def do_checkpoint_if_cancelled(self):
        await trio.lowlevel.checkpoint_if_cancelled()

    async def do_shielded_checkpoint(self):
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def do_scope(self, number, kind, seconds, shield, block):
        scope = self.machine.scopes[number]
        if kind == "deadline" or scope.deadline != math.inf:
            scope.deadline = trio.current_time() + seconds
        else:
            scope.relative_deadline = seconds
        scope.shield = shield
        try:
            with scope:
                await self.block(block)
        finally:
            self.note("scope_end", [scope.cancelled_caught, scope.cancel_called])

    async def do_cancel(self, number):
        self.machine.scopes[number].cancel(reason="asked")

    async def do_set_deadline(self, number, seconds):
        self.machine.scopes[number].deadline = trio.current_time() + seconds

    async def do_set_shield(self, number, shield):
        self.machine.scopes[number].shield = shield

    async def do_nursery(self, number, block):
        async with trio.open_nursery() as nursery:
            self.machine.nurseries[number] = nursery
            await self.block(block)

    async def do_spawn(self, number, name, block):
        self.machine.nurseries[number].start_soon(self.machine.task, name, block, None)

    async def do_start(self, number, name, block):
        async def child(*, task_status):
            await self.machine.task(name, block, task_status)

        return ["value", await self.machine.nurseries[number].start(child)]

    async def do_started(self, value):
        try:
            self.status.started(value)
        except RuntimeError:
            return "misuse"

    async def do_cancel_nursery(self, number):
        self.machine.nurseries[number].cancel_scope.cancel()

    async def do_event_set(self, number):
        self.machine.events[number].set()

    async def do_event_wait(self, number):
        await self.machine.events[number].wait()

    async def do_with(self, kind, number, block):
        thing = getattr(self.machine, kind)[number]
        try:
            await thing.acquire()
        except RuntimeError:
            return "misuse"
        self.note("acquired", kind)
        try:
            await self.block(block)
        finally:
            try:
                thing.release()
            except RuntimeError:
                self.note("release", "misuse")

    async def do_release(self, kind, number):
        if kind == "semaphore":
            self.machine.semaphore[number].release()
            return
        try:
            getattr(self.machine, kind)[number].release()
        except RuntimeError:
            return "misuse"

    async def do_condition(self, number, block):
        condition = self.machine.conditions[number]
        try:
            await condition.acquire()
        except RuntimeError:
            return "misuse"
        self.note("acquired", "condition")
        try:
            await self.block(block)
        finally:
            condition.release()

    async def do_cond_wait(self, number):
        await self.machine.conditions[number].wait()

    async def do_notify(self, number, count):
        self.machine.conditions[number].notify(count)

    async def do_send(self, number, value):
        await self.machine.channels[number][0].send(value)

    async def do_receive(self, number):
        return ["value", await self.machine.channels[number][1].receive()]

    async def do_send_nowait(self, number, value):
        try:
            self.machine.channels[number][0].send_nowait(value)
        except trio.WouldBlock:
            return "would_block"

    async def do_receive_nowait(self, number):
        try:
            return ["value", self.machine.channels[number][1].receive_nowait()]
        except trio.WouldBlock:
            return "would_block"

    async def do_raise(self, name):
        raise UserError(name)

    async def do_try(self, block, cleanup):
        try:
            await self.block(block)
        finally:
            await self.block(cleanup)

    async def do_catch(self, block):
        try:
            await self.block(block)
        except* (UserError, RuntimeError):
            pass


class Order:
    """Stands in for trio's source of randomness: a batch by the age of its tasks, that reversed, or
    by chance."""

    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed).random

    def shuffle(self, batch):
        if self.seed == 1:
            batch.reverse()
        elif self.seed > 1:
            batch.sort(key=lambda _: self.random())


def run(program, seed):
    _run._r = Order(seed)
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True
    machine = Machine(program)
    clock = trio.testing.MockClock(autojump_threshold=0)
    outcome = "ok"
    try:
        trio.run(machine.main, clock=clock)
    except BaseException as error:
        outcome = shape(error)
    return {"tasks": machine.trace, "outcome": outcome}


def walk(trace, stats):
    for entries in trace["tasks"].values():
        for _, op, outcome in entries:
            word = outcome if isinstance(outcome, str) else "group" if isinstance(outcome, dict) else str(outcome[0])
            stats[op, word if word[0] != "E" else "user error"] += 1


def main():
    stats = collections.Counter()
    racy = total = broken = 0
    for line in sys.stdin:
        program = json.loads(line)
        total += 1
        try:
            first = run(program, 0)
            differs = any(run(program, seed) != first for seed in range(1, ORDERS))
        except AssertionError as error:
            # A defect of trio itself, which asserts that something cannot happen.
            broken += 1
            print(f"trio fails on {line.strip()}: {error}", file=sys.stderr)
            continue
        if differs:
            racy += 1
            continue
        walk(first, stats)
        print(json.dumps({"program": program, "trace": first}), flush=True)
    if "--stats" in sys.argv:
        for (op, word), count in sorted(stats.items()):
            print(f"{op:24} {word:16} {count}", file=sys.stderr)
    print(f"{total} programs, {racy} depend on the order of a batch and are left out, {broken} break trio", file=sys.stderr)


main()
