"""Producers, system tasks, Ctrl-C and signals, processes."""

import signal
import subprocess

import trio
from trio._core import _run

from .shapes import UserError, shape


class Outside:
    async def do_producer(self, name, makes, takes):
        machine = self.machine

        @trio.as_safe_channel
        async def produce():
            me = type(self)(machine, machine.trace.setdefault(name, []), None)
            me.note("begin", "ok")
            try:
                for statement in makes:
                    # Only a generator itself can yield: not a block inside it.
                    if statement[0] == "yield":
                        yield statement[1]
                        me.note("yield", "ok")
                    else:
                        await me.statement(statement)
            except UserError as error:
                me.note("end", shape(error))
                raise
            me.note("end", "ok")

        async with produce() as channel:
            taker = type(self)(machine, self.entries, self.status, channel)
            await taker.block(takes)

    async def do_take(self):
        try:
            return ["value", await self.taken.receive()]
        except trio.EndOfChannel:
            return "end"

    async def do_system(self, name, block):
        trio.lowlevel.spawn_system_task(self.machine.limited, name, block, name=name)

    async def do_interrupt(self):
        # As if Ctrl-C had been pressed while trio's own code ran: then it waits for a checkpoint. By chance it is
        # seen a tick sooner: a program whose trace depends on it is left out.
        runner = _run.GLOBAL_RUN_CONTEXT.runner
        if self.machine.hold.soon():
            runner.ki_pending = True
            runner._deliver_ki_cb()
        else:
            runner.deliver_ki()

    async def do_signals(self, block):
        with trio.open_signal_receiver(signal.SIGUSR2) as receiver:
            self.machine.signals = receiver
            try:
                await self.block(block)
            finally:
                self.machine.signals = None

    async def do_raise_signal(self):
        if self.machine.signals is None:
            return "nobody"
        if self.machine.hold.soon():
            self.machine.signals._add(signal.SIGUSR2)
        else:
            signal.raise_signal(signal.SIGUSR2)

    async def do_next_signal(self):
        if self.machine.signals is None:
            return "nobody"
        await self.machine.signals.__anext__()

    async def do_process(self, code, check):
        """A process that ends by itself. No time passes meanwhile."""
        with self.machine.hold.held():
            done = await trio.run_process(["sh", "-c", f"exit {code}"], check=check)
        return ["value", done.returncode]

    async def do_process_forever(self, block):
        """A process that ends only when it is told to, and a block beside it."""
        hold = self.machine.hold
        ending = []

        async def deliver(process):
            ending.append(hold.held())
            ending[0].__enter__()
            process.kill()

        async def supervise(task_status):
            try:
                await trio.run_process(["sleep", "1000"], deliver_cancel=deliver, stdin=subprocess.DEVNULL,
                                       task_status=task_status)
            finally:
                for held in ending:
                    held.__exit__()

        async with trio.open_nursery() as nursery:
            with hold.held():
                process = await nursery.start(supervise)
            self.note("process", "started")
            try:
                await self.block(block)
            finally:
                nursery.cancel_scope.cancel()
        return ["value", process.returncode]
