"""Chooses programs for the corpus: reads the oracle's output, prints the COUNT lines that show the most
kinds of steps, short ones first: choose.py COUNT [WORD …]. With words, only steps of those statements count."""

import json
import sys


def features(line, counted):
    found = set()
    for entries in json.loads(line)["trace"]["tasks"].values():
        words = []
        for _, op, outcome, *_ in entries:
            if isinstance(outcome, list):
                outcome = outcome[:2] if outcome[0] == "cancelled" else outcome[0]
            elif isinstance(outcome, dict):
                outcome = "group"
            if not counted or op in counted:
                words.append(f"{op} {outcome}")
        found.update(words)
        found.update(zip(words, words[1:]))
    return found


def main():
    count, counted = int(sys.argv[1]), sys.argv[2:]
    least = 1 if counted else 3
    lines = sorted(set(sys.stdin), key=len)
    known = set()
    for line in lines:
        new = features(line, counted) - known
        if len(new) >= least and count > 0:
            known |= new
            count -= 1
            sys.stdout.write(line)


main()
