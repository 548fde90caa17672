"""Valid and false vectors of ours, OpenPIV and fluidimage in sixteen scenes: `robustness.py QUALITY`; see `robustness`.

QUALITY is our example program, which makes the images, measures them with ours, and scores the others' vectors by the
same rule. All measure with windows of 64, 32 and 16 px, 50 % overlap, and each by its own standard validation. A vector
is false if the program calls it valid and it is more than 1 px off. Prints for each scene and program: share of valid
vectors, share of false ones (both in per cent of all), and the RMS error of a component of the others (px).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import contestant
import numpy as np
from imageio.v3 import imread


def openpiv(first, second):
    from openpiv import filters, validation, windef

    settings = windef.PIVSettings()
    settings.show_plot = settings.show_all_plots = False
    x, y, u, v, ratio = windef.first_pass(first, second, settings)
    mask = np.zeros(u.shape, dtype=bool)
    u, v = np.ma.masked_array(u, mask=mask), np.ma.masked_array(v, mask=mask)
    invalid = validation.typical_validation(u, v, ratio, settings)
    u, v = filters.replace_outliers(u, v, invalid)
    for index in range(1, settings.num_iterations):
        x, y, u, v, _, invalid = windef.multipass_img_deform(first, second, index, x, y, u, v, settings)
    return x, y, np.ma.filled(u, np.nan), np.ma.filled(v, np.nan), ~np.asarray(invalid, dtype=bool)


class Fluidimage:
    def __init__(self):
        from fluidimage.piv import Work

        params = Work.create_default_params()
        params.piv0.shape_crop_im0 = 64
        params.piv0.method_subpix = "2d_gaussian2"
        params.piv0.grid.overlap = 0.5
        params.multipass.number = 3
        params.multipass.coeff_zoom = 2
        params.multipass.use_tps = True
        params.mask.strcrop = None
        self.work = Work(params=params)

    def __call__(self, first, second):
        from fluidimage.data_objects.piv import ArrayCouple

        last = self.work.calcul(ArrayCouple(names=("a", "b"), arrays=(first, second))).passes[-1]
        valid = np.isfinite(last.deltaxs) & np.isfinite(last.deltays)
        valid[[index for index in last.errors if index < valid.size]] = False
        half = contestant.HALF_PIXEL
        return last.xs - half, last.ys - half, last.deltaxs, last.deltays, valid


def score(quality, scene, compute, folder):
    files = []
    for first in sorted(Path(folder).glob("*_a.png")):
        images = [imread(first), imread(str(first).replace("_a.png", "_b.png"))]
        columns = [np.ravel(part).astype(float) for part in compute(*images)]
        files.append(str(first).replace("_a.png", ".csv"))
        np.savetxt(files[-1], np.column_stack(columns), delimiter=",", header="x,y,dx,dy,valid", comments="")
    return subprocess.check_output([quality, "score", scene, *files], text=True).strip()


def main():
    quality = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w")
    # fluidimage reports while it computes.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    ours = subprocess.check_output([quality, "robustness"], text=True).splitlines()
    lines = {line.split(",")[0]: line for line in ours[1:]}
    fluidimage = Fluidimage()
    print(f"{ours[0]},openpiv valid,openpiv false,openpiv rms,fluidimage valid,fluidimage false,fluidimage rms", file=answers)
    for scene in subprocess.check_output([quality, "scenes"], text=True).split():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.check_call([quality, "scene-images", scene, folder])
            theirs = [score(quality, scene, compute, folder) for compute in (openpiv, fluidimage)]
        print(",".join([lines[scene], *theirs]), file=answers, flush=True)
    print(lines["unrelated"], file=answers)


if __name__ == "__main__":
    main()
