"""Makes programs that differ smaller: reads lines of the oracle's output from standard input, and prints for each
a smaller one that still differs.

    reduce.py COMPARE [TEXT] < lines

COMPARE is the program `differential`, perhaps with arguments. With TEXT, only differences whose report contains that count: so that one
difference is not reduced to another."""

import copy
import json
import subprocess
import sys

from oracle import judge

# Where the tasks of a statement are: lists of a name and a block.
TASKS = {"gather": 1, "map": 3, "race": 2, "hedge": 2}
# Where the blocks of a statement are.
BLOCKS = {
    "scope": [5], "nursery": [2], "spawn": [3], "start": [3], "with": [3], "condition": [2], "try": [1, 2],
    "catch": [1], "with_for": [3], "producer": [2, 3], "system": [2], "signals": [1], "process_forever": [1],
    "thread": [3], "from_run": [1], "services": [3],
}


def blocks(block):
    """All blocks in a block, itself first."""
    yield block
    for statement in block:
        for place in BLOCKS.get(statement[0], ()):
            yield from blocks(statement[place])
        if statement[0] in TASKS:
            for _, inner in statement[TASKS[statement[0]]]:
                yield from blocks(inner)


class Reducer:
    def __init__(self, compare, text):
        self.compare = compare
        self.text = text

    def differs(self, program):
        """The line, if the program differs."""
        trace = judge(program)
        if trace is None:
            return None
        line = json.dumps({"program": program, "trace": trace})
        done = subprocess.run(self.compare, input=line, capture_output=True, text=True, timeout=120)
        report = done.stdout + done.stderr
        return line if done.returncode != 0 and self.text in report.partition("\n")[2] else None

    def smaller(self, program):
        """Programs with one thing less, the smallest first."""
        for number, block in enumerate(blocks(program["main"])):
            for place in range(len(block)):
                less = copy.deepcopy(program)
                target = list(blocks(less["main"]))[number]
                gone = target.pop(place)
                yield less
                for inner in BLOCKS.get(gone[0], ()):
                    if gone[0] in ("spawn", "start", "system", "thread", "producer", "from_run"):
                        continue
                    # The block alone, without what is around it.
                    less = copy.deepcopy(program)
                    target = list(blocks(less["main"]))[number]
                    target[place:place + 1] = gone[inner]
                    yield less

    def valid(self, program):
        text = json.dumps(program["main"])
        # A nursery that is gone takes nobody.
        def walk(block, around):
            for statement in block:
                op = statement[0]
                if op in ("spawn", "start", "cancel_nursery") and statement[1] not in around:
                    return False
                if op in ("cond_wait", "notify") and "condition" not in around:
                    return False
                if op == "take" and "taken" not in around:
                    return False
                if op == "started" and "status" not in around:
                    return False
                inner = around
                if op == "nursery":
                    inner = around + [statement[1]]
                elif op in ("spawn", "start"):
                    inner = [k for k in around if not isinstance(k, str)]
                    inner = inner[:inner.index(statement[1]) + 1] + (["status"] if op == "start" else [])
                elif op in ("system", "from_run"):
                    inner = []
                elif op == "condition":
                    inner = around + ["condition"]
                for place in BLOCKS.get(op, ()):
                    within = inner
                    if op == "producer":
                        within = [] if place == 2 else around + ["taken"]
                    if op == "thread":
                        within = []
                    if not walk(statement[place], within):
                        return False
            return True

        return "main" in program and text and walk(program["main"], [])

    def reduce(self, line):
        program = json.loads(line)["program"]
        best = self.differs(program)
        if best is None:
            return None
        again = True
        while again:
            again = False
            for less in self.smaller(program):
                if self.valid(less) and (found := self.differs(less)) is not None:
                    program, best, again = less, found, True
                    break
        for what in list(program.get("watch", [])):
            less = {**program, "watch": [other for other in program["watch"] if other != what]}
            if (found := self.differs(less)) is not None:
                program, best = less, found
        return best


def main():
    reducer = Reducer(sys.argv[1].split(), sys.argv[2] if len(sys.argv) > 2 else "")
    for line in sys.stdin:
        if line.startswith('{"program"'):
            reduced = reducer.reduce(line)
            print(reduced or "does not differ", flush=True)


if __name__ == "__main__":
    main()
