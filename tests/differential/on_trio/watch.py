"""What is looked at from outside: the statistics of everything, and an instrument's hooks."""

import trio


def plain(name):
    """A task's name as it is here."""
    if name.endswith("Machine.main"):
        return "main"
    return "a call from a thread" if "do_from_run" in name else name


def name_of(task):
    if task is None:
        return None
    return plain(task.name)


def borrower(who):
    return name_of(who) if isinstance(who, trio.lowlevel.Task) else str(who)


def channel(ends):
    now = ends[0].statistics()
    return [now.current_buffer_used, now.open_send_channels, now.open_receive_channels,
            now.tasks_waiting_send, now.tasks_waiting_receive]


def loans(limiter):
    now = limiter.statistics()
    borrowers = sorted(borrower(who) for who in now.borrowers)
    return [now.total_tokens, now.borrowed_tokens, limiter.available_tokens, now.tasks_waiting, borrowers]


def statistics(machine):
    locks = [(lock.statistics(), lock) for lock in machine.lock]
    return [
        [[event.is_set(), event.statistics().tasks_waiting] for event in machine.events],
        [[now.locked, name_of(now.owner), now.tasks_waiting] for now, _ in locks],
        [[condition.statistics().tasks_waiting, condition.locked()] for condition in machine.conditions],
        [[semaphore.value, semaphore.statistics().tasks_waiting] for semaphore in machine.semaphore],
        [loans(each) for each in machine.limiter],
        [channel(each) for each in machine.channels],
        [len(lot) for lot in machine.lots],
    ]


class Hooks(trio.abc.Instrument):
    """Notes, for each task of the program, what the instrument is told of it: `n`ew, `s`cheduled,
    `b`efore and `a`fter a step, e`x`ited."""

    def __init__(self):
        self.told = {}

    def note(self, task, letter):
        name = name_of(task)
        if name == "main" or (name[0] == "t" and name[1:].isdigit()):
            self.told[name] = self.told.get(name, "") + letter

    def task_spawned(self, task):
        self.note(task, "n")

    def task_scheduled(self, task):
        self.note(task, "s")

    def before_task_step(self, task):
        self.note(task, "b")

    def after_task_step(self, task):
        self.note(task, "a")

    def task_exited(self, task):
        self.note(task, "x")
