"""Draws the curves of bias and random error: `curves.py CSV FOLDER`; see `quality`."""

import csv
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from PIL import Image

# Colour says whose (Okabe and Ito's palette, distinct also to the colour-blind), marker and line say which way.
COLORS = {"terzetto": "#0072B2", "OpenPIV": "#D55E00", "fluidimage": "#009E73"}
STYLES = {
    "one pass": {"marker": "o", "linestyle": "-"},
    "one pass, normalised": {"marker": "D", "linestyle": "-"},
    "one pass, clipped": {"marker": "D", "linestyle": "-"},
    "one pass, other fit": {"marker": "D", "linestyle": "-"},
    "padded": {"marker": "^", "linestyle": ":"},
    "shifted": {"marker": "s", "linestyle": "--"},
    "deformed": {"marker": "v", "linestyle": "-."},
}
# Of each table: the axis, the part of it that is drawn, its scale, and by what values are multiplied.
TABLES = {
    "displacement": ("displacement, px", (0, 2), "linear", 1),
    "diameter": ("diameter of particles, px", None, "linear", 1),
    "density": ("particles in a window", None, "log", 32 * 32),
    "noise": ("noise, % of the brightest particle", None, "linear", 100 / 20_000),
    "shear": ("shear, px per px", None, "linear", 1),
}
PLAIN = "order of magnitude, plain FFT correlation (Huang et al. 1997)"
QUOTED = "often quoted for PIV (Wieneke 2015)"


def literature(table, bias, random):
    """What others found, where their words have a place in the picture."""
    random.axhspan(0.05, 0.1, color="0.93", zorder=0, label=QUOTED)
    random.axhline(0.1, color="0.5", linewidth=1, linestyle=(0, (1, 2)), label=PLAIN)
    for axes in (bias, random):
        if table == "diameter":
            axes.axvspan(2, 2.5, color="#F0E442", alpha=0.35, zorder=0, label="least error (Raffel et al.)")
        if table == "shear":
            label = "design limit (Keane and Adrian 1992)"
            axes.axvline(0.05, color="0.35", linewidth=1, linestyle=(0, (4, 2)), label=label)


def draw(table, programs, file):
    name, limits, scale, factor = TABLES[table]
    figure, (bias, random) = plt.subplots(1, 2, figsize=(10.4, 5), dpi=110, sharex=True)
    literature(table, bias, random)
    bias.axhline(0, color="0.6", linewidth=0.8)
    for program, rows in programs.items():
        whose, way = program.split(", ", 1)
        rows = [(value * factor, *errors) for value, *errors in sorted(rows)]
        if limits:
            rows = [row for row in rows if limits[0] <= row[0] <= limits[1]]
        values, biases, randoms = zip(*rows)
        style = dict(STYLES[way], color=COLORS[whose], markersize=3.6, linewidth=1.2, label=program)
        style["markevery"] = len(values) // 20 + 1
        bias.plot(values, biases, **style)
        random.plot(values, randoms, **style)
    bias.set(ylabel="mean error, px", xlabel=name, xscale=scale)
    random.set(ylabel="random error, px", xlabel=name, yscale="log")
    bias.set_title("bias", loc="left", fontsize=10)
    random.set_title("random error (standard deviation)", loc="left", fontsize=10)
    # A program far off shall not flatten the others.
    bias.set_ylim(max(bias.get_ylim()[0], -0.15), min(bias.get_ylim()[1], 0.15))
    random.set_ylim(max(random.get_ylim()[0], 0.002), min(random.get_ylim()[1], 0.6))
    random.yaxis.set_major_formatter("{x:g}")
    for axes in (bias, random):
        axes.grid(color="0.9", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(handles=in_columns(random), loc="lower center", ncols=4, fontsize=7.5, frameon=False)
    figure.tight_layout(rect=(0, 0.16, 1, 1))
    save(figure, file)


def in_columns(axes):
    """The legend's lines, a column of five for each program, and one for the literature."""
    columns = defaultdict(list)
    for handle, label in zip(*axes.get_legend_handles_labels()):
        columns[label.split(",")[0] if ", " in label and label.split(",")[0] in COLORS else ""].append(handle)
    empty = plt.Line2D([], [], linestyle="", label=" ")
    return [handle for name in (*COLORS, "") for handle in (columns[name] + [empty] * 5)[:5]]


def save(figure, file):
    """As PNG with a palette, a third of the size."""
    figure.canvas.draw()
    image = Image.frombuffer("RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba())
    image.convert("RGB").quantize(128).save(file, optimize=True)
    plt.close(figure)


def main():
    tables = defaultdict(lambda: defaultdict(list))
    with open(sys.argv[1], newline="") as file:
        for row in csv.DictReader(file):
            errors = float(row["bias"]), float(row["random"])
            tables[row["table"]][row["program"]].append((float(row["value"]), *errors))
    for table, programs in tables.items():
        draw(table, programs, f"{sys.argv[2]}/{table}.png")


if __name__ == "__main__":
    main()
