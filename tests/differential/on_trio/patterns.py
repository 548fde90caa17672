"""The patterns that this runtime has and trio has not, as a program of trio's would write them."""

import trio


def divided(error):
    """An error's cancellations, and the rest."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)
    return (error, None) if isinstance(error, trio.Cancelled) else (None, error)


class Race:
    def __init__(self):
        self.finished = []
        self.failures = []

    def finish(self, index, nursery):
        self.finished.append(index)
        nursery.cancel_scope.cancel(reason="another contender has won")

    async def attempt(self, index, nursery, run):
        """Runs a contender that may fail."""
        try:
            await run()
        except BaseException as error:
            cancelled, failure = divided(error)
            if failure is not None:
                self.failures.append((index, failure))
            if cancelled is not None:
                raise cancelled
        else:
            self.finish(index, nursery)

    def result(self, error):
        if error is not None and (divided(error)[1] is not None or not self.finished):
            raise error
        if self.finished:
            return ["won", *self.finished]
        failures = [failure for _, failure in sorted(self.failures, key=lambda pair: pair[0])]
        raise BaseExceptionGroup("every contender of a race has failed", failures)


class Child:
    """A task whose value can be awaited."""

    def __init__(self):
        self.ended = trio.Event()
        self.has_value = False
        self.value = None

    async def run(self, run, value):
        try:
            await run()
            self.has_value, self.value = True, value
        finally:
            self.ended.set()

    async def result(self):
        await self.ended.wait()
        if not self.has_value:
            await trio.lowlevel.checkpoint_if_cancelled()
            return "no_value"
        if self.value is None:
            return "taken"
        value, self.value = self.value, None
        return ["value", value]


class ShutDown:
    """The scopes that a shutdown cancels at once: of tasks that do not finish their work, of waits for more."""

    def __init__(self):
        self.reason = None
        self.scopes = []

    def scope(self):
        scope = trio.CancelScope()
        if self.reason is not None:
            scope.cancel(reason=self.reason)
        self.scopes.append(scope)
        return scope

    def begin(self, reason):
        self.reason = reason
        for scope in self.scopes:
            scope.cancel(reason=reason)


class Patterns:
    async def do_spawn_for_result(self, number, name, value, block):
        child = self.machine.children[name] = Child()
        run = lambda: self.machine.task(name, block, None)
        self.machine.nurseries[number].start_soon(child.run, run, value, name=name)

    async def do_result(self, name):
        child = self.machine.children.get(name)
        return "misuse" if child is None else await child.result()

    async def do_graceful(self, seconds, grace, stopped, finishing):
        shut_down, stopped_early = ShutDown(), []
        text = f"{grace:.10f}".rstrip("0").rstrip(".")

        async def stops(name, block):
            with shut_down.scope() as scope:
                await self.machine.task(name, block, None)
            stopped_early.append(scope.cancelled_caught)

        async def finishes(name, block):
            await self.machine.task(name, block, None, shut_down)

        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for name, block in stopped:
                    nursery.start_soon(stops, name, block)
                for name, block in finishing:
                    nursery.start_soon(finishes, name, block)
                await trio.sleep(seconds)
                shut_down.begin(f"it is shut down, with {text} s to finish")
                scope.deadline = trio.current_time() + grace
        return "cut_short" if scope.cancelled_caught or any(stopped_early) else "ok"

    async def do_until_shut_down(self, block):
        with self.shut_down.scope() as scope:
            await self.block(block)
        return "shut_down" if scope.cancelled_caught else "ok"

    async def do_gather(self, tasks):
        done = []

        async def one(index, name, block):
            await self.machine.task(name, block, None)
            done.append(index)

        async with trio.open_nursery() as nursery:
            for index, (name, block) in enumerate(tasks):
                nursery.start_soon(one, index, name, block)
        return ["values", *sorted(done)]

    async def do_map(self, limit, as_completed, tasks):
        done = []
        room = trio.Semaphore(limit)

        async def one(index, name, block):
            try:
                await self.machine.task(name, block, None)
                done.append(index)
            finally:
                room.release()

        async with trio.open_nursery() as nursery:
            items = enumerate(tasks)
            while True:
                try:
                    room.acquire_nowait()
                except trio.WouldBlock:
                    await room.acquire()
                await trio.lowlevel.checkpoint_if_cancelled()
                item = next(items, None)
                if item is None:
                    break
                nursery.start_soon(one, item[0], *item[1])
        return ["values", *(done if as_completed else sorted(done))]

    async def do_race(self, kind, tasks):
        race, ended = Race(), None

        async def first_to_end(index, name, block):
            await self.machine.task(name, block, None)
            race.finish(index, nursery)

        async def first_to_succeed(index, name, block):
            await race.attempt(index, nursery, lambda: self.machine.task(name, block, None))

        try:
            async with trio.open_nursery() as nursery:
                for index, (name, block) in enumerate(tasks):
                    nursery.start_soon(first_to_end if kind == "end" else first_to_succeed, index, name, block)
        except BaseException as error:
            ended = error
        return race.result(ended)

    async def do_hedge(self, delay, tasks):
        race, ended = Race(), None
        latest_failed = None

        async def attempt(index, name, block):
            try:
                await race.attempt(index, nursery, lambda: self.machine.task(name, block, None))
            finally:
                latest_failed.set()

        try:
            async with trio.open_nursery() as nursery:
                for index, (name, block) in enumerate(tasks):
                    latest_failed = next_may_start = trio.Event()
                    nursery.start_soon(attempt, index, name, block)
                    if index + 1 < len(tasks):
                        with trio.move_on_after(delay):
                            await next_may_start.wait()
                    if race.finished:
                        break
        except BaseException as error:
            ended = error
        return race.result(ended)

    async def do_services(self, services_number, number, block):
        failed = of_services = None
        try:
            async with trio.open_nursery() as services:
                self.machine.nurseries[services_number] = services
                try:
                    async with trio.open_nursery() as nursery:
                        self.machine.nurseries[number] = nursery
                        await self.block(block)
                except BaseException as error:
                    services.cancel_scope.cancel(reason="all that needed the services has ended")
                    cancelled, failed = divided(error)
                    if cancelled is not None:
                        raise cancelled
                else:
                    services.cancel_scope.cancel(reason="all that needed the services has ended")
        except BaseException as error:
            of_services = error
        if failed is None and of_services is None:
            return
        if failed is None:
            raise of_services
        if of_services is None:
            raise failed
        raise BaseExceptionGroup("ordinary tasks and services failed", [failed, of_services])
