"""Worker threads, and holding the clock while something happens in real time."""

import contextlib
import threading
import time

import trio

from .shapes import Over, shape


class Hold:
    """While something outside the loop is under way the clock must not jump: a task is kept runnable.

    A thread is under way unless it waits at a gate, or for a block that the loop runs on its behalf."""

    def __init__(self, gates, jitter):
        self.changed = threading.Condition()
        self.open = [False] * gates
        self.waiting = [0] * gates
        self.under_way = 0
        self.over = False
        self.spins = False
        # By chance a thread is late: a program whose trace depends on it is left out.
        self.jitter = jitter

    def begin(self):
        with self.changed:
            self.under_way += 1
        self.spin()

    def spin(self):
        if self.under_way and self.soon():
            # By chance the loop is late.
            time.sleep(0.001)
        if self.under_way and not self.spins and not self.over:
            self.spins = True
            trio.lowlevel.spawn_system_task(self.spinner)

    def end(self):
        with self.changed:
            self.under_way -= 1

    async def spinner(self):
        while self.under_way:
            await trio.lowlevel.cancel_shielded_checkpoint()
        self.spins = False

    def held(self):
        return Held(self)

    def wait(self, gate):
        """In a thread: waits for a gate to open."""
        with self.changed:
            if not self.open[gate] and not self.over:
                self.waiting[gate] += 1
                self.under_way -= 1
                while not self.open[gate] and not self.over:
                    self.changed.wait()
        self.late()

    def late(self):
        if self.over:
            raise Over
        if self.jitter is not None:
            time.sleep(self.jitter() * 0.0004)

    def soon(self):
        """Whether a signal is seen in this tick already."""
        return self.jitter is not None and self.jitter() < 0.5

    def let_through(self, gates):
        for gate in gates:
            self.open[gate] = True
            self.under_way += self.waiting[gate]
            self.waiting[gate] = 0
        self.changed.notify_all()

    def open_gate(self, gate):
        with self.changed:
            self.let_through([gate])
        self.spin()

    async def open_all_at(self, time):
        """No thread waits for ever."""
        await trio.sleep_until(time)
        with self.changed:
            self.let_through(range(len(self.open)))
        self.spin()

    def finish(self):
        """The main task has ended: whatever a thread still does, nobody looks."""
        with self.changed:
            self.over = True
            self.let_through(range(len(self.open)))


class Held(contextlib.AbstractContextManager):
    def __init__(self, hold):
        self.hold = hold

    def __enter__(self):
        self.hold.begin()

    def __exit__(self, *_):
        self.hold.end()


class Worker:
    """What a thread does, and who says that it is no longer under way: the task that waits for it, or
    the thread itself if that has left."""

    def __init__(self, task, name):
        self.task = task
        self.name = name
        self.hold = task.machine.hold
        self.log = []
        self.began = self.ended = self.left = False

    def leave(self):
        with self.hold.changed:
            self.left = True
            if not self.began or self.ended:
                self.hold.under_way -= 1

    def work(self, block):
        with self.hold.changed:
            if self.left:
                return
            self.began = True
        try:
            self.hold.late()
            for statement in block:
                self.statement(statement)
                self.hold.late()
        finally:
            with self.hold.changed:
                self.ended = True
                if self.left:
                    self.hold.under_way -= 1

    def statement(self, statement):
        op, *args = statement
        try:
            outcome = getattr(self, "do_" + op)(*args)
        except BaseException as error:
            self.log.append([op, shape(error)])
            raise
        self.log.append([op, "ok" if outcome is None else outcome])

    def do_gate(self, number):
        self.hold.wait(number)

    def do_check_cancelled(self):
        trio.from_thread.check_cancelled()

    def do_raise(self, name):
        self.task.raise_now(name)

    def do_context_get(self, number):
        return ["value", self.task.machine.variables[number].get()]

    def do_context_set(self, number, value):
        self.task.machine.variables[number].set(value)

    def do_from_sync(self, statement):
        def call():
            # Statements that do not wait end in their first step.
            entries = self.task.machine.trace.setdefault(self.name, [])
            with contextlib.suppress(StopIteration):
                type(self.task)(self.task.machine, entries, None).statement(statement).send(None)

        try:
            trio.from_thread.run_sync(call)
        except trio.RunFinishedError:
            raise Over from None

    def do_from_run(self, block):
        async def call():
            self.hold.end()
            try:
                await self.task.machine.limited(self.name, block)
            finally:
                self.hold.begin()

        try:
            trio.from_thread.run(call)
        except trio.RunFinishedError:
            raise Over from None


class Threads:
    async def do_thread(self, name, abandon, block):
        worker = Worker(self, name)
        self.machine.hold.begin()
        try:
            await trio.to_thread.run_sync(worker.work, block, abandon_on_cancel=abandon)
        except Over:
            return "over"
        finally:
            if worker.ended:
                self.note("log", worker.log)
            worker.leave()

    async def do_open_gate(self, number):
        self.machine.hold.open_gate(number)
