"""Runs the contestants and prints the tables: `compare.py CONTEST ROUNDS`; see `run`.

Other programs share the machine, so a time is the least of many, and contestants take turns within each round: what
slows the machine down for a while slows all of them. How two threads scale is the median over pairs of turns, one after
the other, with one thread and with two.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# Who measures how, beside whom: our `multi` shifts windows, as fluidimage does; our `deform` deforms images, as
# OpenPIV does in its second pass.
ENTRIES = [
    ("terzetto", "one"),
    ("terzetto", "padded"),
    ("terzetto", "multi"),
    ("terzetto", "deform"),
    ("fluidimage", "one"),
    ("fluidimage", "multi"),
    ("openpiv", "one"),
    ("openpiv", "multi"),
]
# Repetitions a turn: some hundredths of a second.
REPEATS = {"terzetto": 6, "fluidimage": 1, "openpiv": 1}
# The same for turns of one and of two threads: both are busy for most of it.
REPEATS_OF_PAIR = 20


class Contestant:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"no answer to `{words}`")
        return answer.strip()


def scaling(ours, mode, couples, pairs):
    """How many times the couples of one thread two threads compute in a time, pair by pair."""
    for index in range(pairs):
        # The same couple; who is first alternates, so that no drift favours one.
        order = (1, 2) if index % 2 == 0 else (2, 1)
        couple = couples[index % len(couples)]
        seconds = {threads: float(ours.ask("time", mode, couple, threads, REPEATS_OF_PAIR)) for threads in order}
        yield seconds[1] / seconds[2]


def main():
    contest, rounds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        couples = subprocess.check_output([contest, "images", folder], text=True).split()
        python = [sys.executable, str(Path(__file__).with_name("contestant.py"))]
        # First, while no other program is there whose threads might wait in a loop.
        terzetto = Contestant([contest, "serve", folder])
        threads = {mode: scaling(terzetto, mode, couples, rounds) for mode in ("one", "multi")}
        contestants = {
            "terzetto": terzetto,
            "fluidimage": Contestant([*python, "fluidimage", folder]),
            "openpiv": Contestant([*python, "openpiv", folder]),
        }
        times = {}
        for index in range(rounds):
            couple = couples[index % len(couples)]
            for name, mode in ENTRIES:
                seconds = float(contestants[name].ask("time", mode, couple, 1, REPEATS[name]))
                times[name, mode] = min(seconds, times.get((name, mode), seconds))
        print(f"ms a couple of 512 x 512 px, least of {rounds}; 32-px windows, 50 % overlap, 16 px in a second pass")
        for (name, mode), seconds in times.items():
            print(f"  {name:<11}{mode:<7}{1000 * seconds:9.2f}")
        print("times faster on one thread")
        for mine, other, theirs in [
            ("one", "fluidimage", "one"),
            ("padded", "fluidimage", "one"),
            ("multi", "fluidimage", "multi"),
            ("one", "openpiv", "one"),
            ("deform", "openpiv", "multi"),
        ]:
            ratio = times[other, theirs] / times["terzetto", mine]
            print(f"  {mine:<7}than {other} {theirs:<7}{ratio:7.1f}")
        print(f"throughput of two threads over that of one: quartiles and median of {rounds} pairs of turns")
        for mode, ratios in threads.items():
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(f"  {mode:<7}{middle:7.2f}   ({low:.2f} to {high:.2f})")
        print("error, px: length of the mean, root mean square, 95th percentile; share lost (1 px off or missing)")
        for couple in couples:
            for name, mode in ENTRIES:
                file = f"{folder}/{name}_{mode}_{couple}.csv"
                contestants[name].ask("field", mode, couple, file)
                errors = subprocess.check_output([contest, "judge", couple, file], text=True).strip()
                print(f"  {couple:<9}{name:<11}{mode:<7}{errors}")


if __name__ == "__main__":
    main()
