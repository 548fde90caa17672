"""Runs programs on trio: reads one JSON object a line, prints {"program", "trace"} for each whose
trace does not depend on the order in which trio runs the tasks of a batch. `--stats` counts what
occurred on standard error."""

import collections
import json
import random
import signal
import sys

import trio
import trio.testing
from on_trio.machine import Machine
from on_trio.shapes import defects, shape
from on_trio.watch import Hooks
from trio._core import _run

# What a receiver has not taken is delivered again when it closes, to nobody.
signal.signal(signal.SIGUSR2, lambda *_: None)
# How many seconds a run may take.
PATIENCE = 20
# In how many orders each program is run, to find out whether it depends on the order.
ORDERS = 12


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
    signal.alarm(PATIENCE)
    _run._r = Order(seed)
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True
    machine = Machine(program, random.Random(seed).random if seed > 1 else None)
    hooks = Hooks()
    clock = trio.testing.MockClock(autojump_threshold=0)
    outcome = "ok"
    defects.seen.clear()
    try:
        trio.run(machine.main, clock=clock, instruments=[hooks])
    except BaseException as error:
        outcome = shape(error)
    if defects.seen:
        raise AssertionError(defects.seen[0])
    trace = {"tasks": machine.trace, "outcome": outcome}
    if "hooks" in machine.watch:
        trace["hooks"] = hooks.told
    return trace


def walk(trace, stats):
    for entries in trace["tasks"].values():
        for _, op, outcome, *_ in entries:
            word = outcome if isinstance(outcome, str) else "group" if isinstance(outcome, dict) else str(outcome[:1])
            stats[op, word if word[0] != "E" else "user error"] += 1


def judge(program):
    """The trace of a program; none if it depends on the order of a batch, or if trio itself fails."""
    try:
        first = run(program, 0)
        return first if all(run(program, seed) == first for seed in range(1, ORDERS)) else None
    except (AssertionError, IndexError, KeyError, AttributeError):
        return None


def hangs(*_):
    raise AssertionError(f"a run takes more than {PATIENCE} s")


def main():
    signal.signal(signal.SIGALRM, hangs)
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


if __name__ == "__main__":
    main()
