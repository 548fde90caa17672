"""Chooses programs for the corpus: reads the oracle's output, prints the COUNT lines that show the most
kinds of steps, short ones first: choose.py COUNT."""

import json
import sys


def features(line):
    found = set()
    for entries in json.loads(line)["trace"]["tasks"].values():
        words = []
        for _, op, outcome, *_ in entries:
            if isinstance(outcome, list):
                outcome = outcome[:2] if outcome[0] == "cancelled" else outcome[0]
            elif isinstance(outcome, dict):
                outcome = "group"
            words.append(f"{op} {outcome}")
        found.update(words)
        found.update(zip(words, words[1:]))
    return found


def main():
    count = int(sys.argv[1])
    lines = sorted(set(sys.stdin), key=len)
    known = set()
    for line in lines:
        new = features(line) - known
        if len(new) >= 3 and count > 0:
            known |= new
            count -= 1
            sys.stdout.write(line)


main()
