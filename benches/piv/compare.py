"""Runs the contestants and prints the tables: `compare.py CONTEST ROUNDS`; see `run`.

Other programs share the machine, so a time is the least of many, and contestants take turns within each round: what
slows the machine down for a while slows all of them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

# Who measures how, beside whom: our `multi` shifts windows, as fluidimage does; our `deform` deforms images, as
# OpenPIV does in its second pass.
ENTRIES = [
    ("terzetto", "one", 1),
    ("terzetto", "padded", 1),
    ("terzetto", "multi", 1),
    ("terzetto", "deform", 1),
    ("fluidimage", "one", 1),
    ("fluidimage", "multi", 1),
    ("openpiv", "one", 1),
    ("openpiv", "multi", 1),
    ("terzetto", "one", 2),
    ("terzetto", "multi", 2),
]
# Repetitions a turn: about a tenth of a second, and enough for two threads to be busy for most of it.
REPEATS = {"terzetto": 6, "fluidimage": 1, "openpiv": 1}


class Contestant:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"no answer to `{words}`")
        return answer.strip()


def main():
    contest, rounds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        couples = subprocess.check_output([contest, "images", folder], text=True).split()
        python = [sys.executable, str(Path(__file__).with_name("contestant.py"))]
        contestants = {
            "terzetto": Contestant([contest, "serve", folder]),
            "fluidimage": Contestant([*python, "fluidimage", folder]),
            "openpiv": Contestant([*python, "openpiv", folder]),
        }
        times, processor = {}, {}
        for index in range(rounds):
            couple = couples[index % len(couples)]
            for name, mode, threads in ENTRIES:
                answer = contestants[name].ask("time", mode, couple, threads, REPEATS[name])
                seconds, *rest = map(float, answer.split())
                key = (name, mode, threads)
                times[key] = min(seconds, times.get(key, seconds))
                if rest:
                    processor[key] = min(rest[0], processor.get(key, rest[0]))
        print(f"ms a couple of 512 x 512 px, least of {rounds}; 32-px windows, 50 % overlap, 16 px in a second pass")
        for (name, mode, threads), seconds in times.items():
            print(f"  {name:<11}{mode:<7}{threads} thread{'s' * (threads > 1):<2}{1000 * seconds:9.2f}")
        print("times faster on one thread")
        for mine, other, theirs in [
            ("one", "fluidimage", "one"),
            ("padded", "fluidimage", "one"),
            ("multi", "fluidimage", "multi"),
            ("one", "openpiv", "one"),
            ("deform", "openpiv", "multi"),
        ]:
            ratio = times[other, theirs, 1] / times["terzetto", mine, 1]
            print(f"  {mine:<7}than {other} {theirs:<7}{ratio:7.1f}")
        print("throughput of two threads over that of one: by the clock; by processors' time, as if both had one alone")
        for mode in ("one", "multi"):
            one, two = ("terzetto", mode, 1), ("terzetto", mode, 2)
            print(f"  {mode:<7}{times[one] / times[two]:7.2f}{2 * processor[one] / processor[two]:7.2f}")
        print("error, px: length of the mean, root mean square, 95th percentile; share lost (1 px off or missing)")
        for couple in couples:
            for name, mode, threads in ENTRIES:
                if threads == 1:
                    file = f"{folder}/{name}_{mode}_{couple}.csv"
                    contestants[name].ask("field", mode, couple, file)
                    errors = subprocess.check_output([contest, "judge", couple, file], text=True).strip()
                    print(f"  {couple:<9}{name:<11}{mode:<7}{errors}")


if __name__ == "__main__":
    main()
