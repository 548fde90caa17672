"""Bias and random error of ours, OpenPIV and fluidimage on the same images: `quality.py QUALITY CSV`; see `quality`.

QUALITY is our example program, which makes the images, measures them with ours, and judges the others' fields by the
same rule. Writes a line for each table, value and program: bias, random error (px) and share of lost vectors.
"""

import csv
import io
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import contestant
from imageio.v3 import imread

# The others, at the settings of ours: windows of 32 px, 50 % overlap.
OTHERS = {
    "OpenPIV, one pass": (contestant.Openpiv, "one"),
    "OpenPIV, one pass, normalised": (contestant.Openpiv, "normalised"),
    "OpenPIV, deformed": (contestant.Openpiv, "same"),
    "fluidimage, one pass": (contestant.Fluidimage, "one"),
    "fluidimage, one pass, other fit": (contestant.Fluidimage, "gaussian"),
    "fluidimage, shifted": (contestant.Fluidimage, "same"),
}
# Ours, as the example's columns call them.
OURS = {
    "OnePass": "terzetto, one pass",
    "Clipped": "terzetto, one pass, clipped",
    "Padded": "terzetto, padded",
    "Shift": "terzetto, shifted",
    "Deform": "terzetto, deformed",
}


def ours(quality, table):
    text = subprocess.check_output([quality, table], text=True)
    lines = io.StringIO("".join(line for line in text.splitlines(True) if not line.startswith("#")))
    for row in csv.DictReader(lines):
        for way, name in OURS.items():
            yield table, row[table], name, *(row[f"{way} {kind}"] for kind in ("bias", "random", "lost"))


def theirs(quality, table, value):
    """The others' lines of one case."""
    rows = []
    programs = {kind: kind() for kind, _ in OTHERS.values()}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.check_call([quality, "images", table, value, folder])
        couples = sorted(path.name[:-6] for path in Path(folder).glob("*_a.png"))
        images = [[imread(f"{folder}/{couple}_{letter}.png") for letter in "ab"] for couple in couples]
        for name, (kind, mode) in OTHERS.items():
            files = []
            for couple, (first, second) in zip(couples, images):
                files.append(f"{folder}/{couple}.csv")
                result = programs[kind].compute(mode, first, second)
                contestant.write(files[-1], programs[kind].vectors(mode, result))
            errors = subprocess.check_output([quality, "errors", table, value, *files], text=True)
            rows.append((table, value, name, *errors.strip().split(",")))
    return rows


def silence():
    """fluidimage reports while it computes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main():
    quality, file = sys.argv[1], sys.argv[2]
    cases = [line.split() for line in subprocess.check_output([quality, "list"], text=True).splitlines()]
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence) as pool, open(file, "w", newline="") as output:
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(["table", "value", "program", "bias", "random", "lost"])
        others = [pool.submit(theirs, quality, *case) for case in cases]
        for table in dict.fromkeys(table for table, _ in cases):
            writer.writerows(ours(quality, table))
        for rows in others:
            writer.writerows(rows.result())


if __name__ == "__main__":
    main()
