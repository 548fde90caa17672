"""Channels that this runtime has and trio has not, made of what trio has: broadcast, watched values, one-shots, and
batches of an ordinary channel."""

import trio


class Waits:
    """Tasks that wait, in the order of arrival, each with what it has brought along."""

    def __init__(self):
        self.brought = {}

    async def park(self, thing):
        task = trio.lowlevel.current_task()
        self.brought[task] = thing

        def leave(_):
            del self.brought[task]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    def wake(self, task):
        thing = self.brought.pop(task)
        trio.lowlevel.reschedule(task)
        return thing

    def wake_first(self):
        return self.wake(next(iter(self.brought)))

    def wake_if(self, holds):
        return [self.wake(task) for task, thing in list(self.brought.items()) if holds(thing)]


class Sending:
    """A value that waits for room."""

    def __init__(self, value):
        self.value = value
        self.outcome = None


class Broadcast:
    """Every receiver gets every value. The buffer begins with the oldest value that some receiver has not taken."""

    def __init__(self, capacity, slow, receivers):
        self.capacity, self.slow = capacity, slow
        self.values, self.first = [], 0
        # Which value each open receiver gets next.
        self.next = dict.fromkeys(range(receivers), 0)
        self.disconnected = set()
        self.is_closed = False
        self.sending, self.receiving = Waits(), Waits()

    def end(self):
        return self.first + len(self.values)

    def drop_first(self):
        del self.values[0]
        self.first += 1

    def connected(self):
        return self.next.keys() - self.disconnected

    def drop_taken(self):
        while self.values and all(self.next[number] > self.first for number in self.connected()):
            self.drop_first()

    def settle(self):
        """Drops what all have taken, and lets in those who wait for room."""
        self.drop_taken()
        came = False
        while self.connected() and len(self.values) < self.capacity and self.sending.brought:
            came = True
            sending = self.sending.wake_first()
            sending.outcome = "ok"
            self.values.append(sending.value)
        if came:
            self.receiving.wake_if(lambda _: True)

    def send_now(self, value):
        if self.is_closed:
            return "closed"
        if not self.connected():
            return "broken"
        if len(self.values) >= self.capacity or self.sending.brought:
            if self.slow == "wait":
                return "would_block"
            if self.slow == "disconnect":
                self.disconnected |= {number for number, at in self.next.items() if at <= self.first}
                self.drop_taken()
            else:
                self.drop_first()
        sent = bool(self.connected())
        if sent:
            self.values.append(value)
        self.receiving.wake_if(lambda _: True)
        return "ok" if sent else "broken"

    async def send(self, value):
        await trio.lowlevel.checkpoint_if_cancelled()
        outcome = self.send_now(value)
        if outcome == "ok":
            await trio.lowlevel.cancel_shielded_checkpoint()
        if outcome != "would_block":
            return outcome
        sending = Sending(value)
        await self.sending.park(sending)
        return sending.outcome

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            for sending in self.sending.wake_if(lambda _: True):
                sending.outcome = "closed"
            self.receiving.wake_if(lambda _: True)

    def receive_now(self, number):
        if number not in self.next:
            return "closed"
        if number in self.disconnected:
            return "disconnected"
        at = self.next[number]
        if at < self.first:
            self.next[number] = self.first
            return ["lagged", self.first - at]
        if at < self.end():
            value = self.values[at - self.first]
            self.next[number] = at + 1
            self.settle()
            return ["value", value]
        return "end" if self.is_closed else "would_block"

    async def receive(self, number):
        await trio.lowlevel.checkpoint_if_cancelled()
        if number in self.next and self.next[number] < self.end():
            await trio.lowlevel.cancel_shielded_checkpoint()
        while (outcome := self.receive_now(number)) == "would_block":
            await self.receiving.park(number)
        return outcome

    def close_receiver(self, number):
        if number not in self.next:
            return
        del self.next[number]
        self.receiving.wake_if(lambda other: other == number)
        if not self.connected():
            for sending in self.sending.wake_if(lambda _: True):
                sending.outcome = "broken"
        self.settle()


class Watched:
    """A value whose changes some wait for."""

    def __init__(self, value):
        self.value = value
        self.version = 0
        self.waiting = Waits()

    def set(self, value):
        if value != self.value:
            former, self.value = self.value, value
            self.version += 1
            for wait in self.waiting.wake_if(lambda wait: wait.holds(value, former)):
                wait.change = [value, former]

    async def wait(self, holds):
        wait = Wait(holds)
        await self.waiting.park(wait)
        return wait.change


class Wait:
    def __init__(self, holds):
        self.holds = holds
        self.change = None


class Messages:
    async def do_broadcast(self, number, value):
        return await self.machine.broadcasts[number].send(value)

    async def do_broadcast_nowait(self, number, value):
        return self.machine.broadcasts[number].send_now(value)

    async def do_hear(self, number, receiver):
        return await self.machine.broadcasts[number].receive(receiver)

    async def do_close_broadcast(self, number):
        self.machine.broadcasts[number].close()

    async def do_close_hearing(self, number, receiver):
        self.machine.broadcasts[number].close_receiver(receiver)

    async def do_watch_set(self, number, value):
        self.machine.watched[number].set(value)

    async def do_watch_value(self, number, least):
        watched = self.machine.watched[number]
        await trio.lowlevel.checkpoint_if_cancelled()
        if (value := watched.value) >= least:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            value, _ = await watched.wait(lambda value, _: value >= least)
        return ["value", value]

    async def do_watch_fall(self, number):
        await trio.lowlevel.checkpoint_if_cancelled()
        return ["change", *await self.machine.watched[number].wait(lambda value, former: value < former)]

    async def do_watch_all(self, number, count):
        watched, seen = self.machine.watched[number], None
        for _ in range(count):
            await trio.lowlevel.checkpoint_if_cancelled()
            if watched.version == seen:
                await watched.wait(lambda *_: True)
            else:
                await trio.lowlevel.cancel_shielded_checkpoint()
            seen = watched.version
            self.note("seen", ["value", watched.value])

    async def do_oneshot_send(self, number, value):
        sender = self.machine.oneshots[number][0]
        try:
            sender.send_nowait(value)
        except trio.ClosedResourceError:
            return "misuse"
        sender.close()

    async def do_oneshot_receive(self, number):
        try:
            return ["value", await self.machine.oneshots[number][1].receive()]
        except trio.EndOfChannel:
            return "end"

    async def do_oneshot_drop(self, number):
        self.machine.oneshots[number][0].close()

    async def do_send_many(self, number, values):
        sender = self.machine.channels[number][0]
        sent, has_waited = 0, False
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            for value in values:
                try:
                    sender.send_nowait(value)
                except trio.WouldBlock:
                    has_waited = True
                    await sender.send(value)
                sent += 1
        except trio.ClosedResourceError:
            return ["closed", sent]
        except trio.BrokenResourceError:
            return ["broken", sent]
        except trio.Cancelled:
            self.note("sent", ["value", sent])
            raise
        if not has_waited:
            await trio.lowlevel.cancel_shielded_checkpoint()

    async def do_receive_many(self, number, limit):
        receiver = self.machine.channels[number][1]
        try:
            batch = [await receiver.receive()]
        except trio.ClosedResourceError:
            return "closed"
        except trio.EndOfChannel:
            return "end"
        try:
            while len(batch) < limit:
                batch.append(receiver.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            pass
        return ["value", batch]
