"""Counts packed and scalar floating-point arithmetic: `vectorised.py PROGRAM FEW MANY`; see `vectorised`.

FEW and MANY are what callgrind has written about two runs of PROGRAM: how often each instruction was executed; of
interest is by how much more often in the second. What each of them is, the disassembly tells: `addps %ymm0, …` adds
eight numbers at once, `addss` one. Moves, shuffles, comparisons and conversions are no arithmetic and are not counted.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict

ARITHMETIC = re.compile(r"v?(add|sub|addsub|mul|div|sqrt|max|min|rcp|rsqrt|f[n]?m(?:add|sub|addsub|subadd)\d+)([ps])([sd])")
INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\t(\S+)\s*(.*)")
# A function with less than this share of all arithmetic is not listed.
LEAST = 0.01


def kinds(program):
    """The kind and the number of operations of each arithmetic instruction, by its address."""
    found = {}
    text = subprocess.check_output(["objdump", "-d", "--no-show-raw-insn", program], text=True)
    for line in text.splitlines():
        if instruction := INSTRUCTION.match(line):
            address, mnemonic, operands = instruction.groups()
            if parts := ARITHMETIC.fullmatch(mnemonic):
                width = 32 if "%zmm" in operands or "%ymm" in operands else 16
                bits = {"s": 32, "d": 64}[parts[3]]
                fused = 2 if parts[1].startswith("f") else 1
                kind = f"packed {8 * width}" if parts[2] == "p" else "scalar"
                found[int(address, 16)] = kind, fused * (8 * width // bits if parts[2] == "p" else 1)
    return found


def executed(program, file):
    """How often each address of the program was executed, by function."""
    counts, inside, function, skip = defaultdict(Counter), False, "", False
    with open(file) as lines:
        for line in lines:
            line = line.rstrip()
            if line.startswith("ob="):
                inside = line.endswith(program.rsplit("/", 1)[-1])
            elif line.startswith("fn="):
                function = line[3:]
            elif line.startswith("calls="):
                # The next line is the cost of what was called.
                skip = True
            elif line.startswith("0x"):
                address, cost = line.split()[:2]
                if inside and not skip:
                    counts[function][int(address, 16)] += int(cost)
                skip = False
    return counts


def main():
    program, few, many = sys.argv[1:]
    kind_of = kinds(program)
    once = executed(program, few)
    functions = {}
    for function, addresses in executed(program, many).items():
        operations = Counter()
        for address, count in (addresses - once[function]).items():
            if address in kind_of:
                kind, each = kind_of[address]
                operations[kind] += count * each
        functions[function] = operations
    total = sum((operations for operations in functions.values()), Counter())
    everything = total.total()
    print(f"  {'share of all':>12}{'256 bits':>10}{'128 bits':>10}{'scalar':>8}  arithmetic operations, %")
    rows = [("all", total), *sorted(functions.items(), key=lambda item: -item[1].total())]
    for name, operations in rows:
        own = operations.total()
        if own >= LEAST * everything:
            wide, narrow, scalar = (100 * operations[kind] / own for kind in ("packed 256", "packed 128", "scalar"))
            print(f"  {100 * own / everything:12.1f}{wide:10.1f}{narrow:10.1f}{scalar:8.1f}  {shorten(name)}")


def shorten(name):
    """A function's path without what the compiler adds and without modules above the last three."""
    name = re.sub(r"(::h[0-9a-f]{16}|'\d+|\$u7b\$\$u7b\$.*)$", "", name)
    return name if len(name) <= 90 else name[:87] + "..."


if __name__ == "__main__":
    main()
