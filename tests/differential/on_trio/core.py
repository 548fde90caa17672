"""What every program has: time, scopes, nurseries, errors, and the oldest of what tasks share."""

import math

import trio

from .shapes import UserError


class Core:
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
        if scope.is_relative:
            scope.relative_deadline = seconds
        elif kind == "deadline" or scope.deadline != math.inf:
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
        try:
            self.machine.scopes[number].deadline = trio.current_time() + seconds
        except RuntimeError:
            return "misuse"

    async def do_set_shield(self, number, shield):
        self.machine.scopes[number].shield = shield

    async def do_nursery(self, number, block):
        async with trio.open_nursery() as nursery:
            self.machine.nurseries[number] = nursery
            await self.block(block)

    async def do_spawn(self, number, name, block):
        self.machine.nurseries[number].start_soon(self.machine.task, name, block, None, name=name)

    async def do_start(self, number, name, block):
        async def child(*, task_status):
            self.machine.statuses[name] = task_status
            await self.machine.task(name, block, task_status)

        return ["value", await self.machine.nurseries[number].start(child, name=name)]

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
        self.raise_now(name)

    def raise_now(self, name):
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
