"""fluidimage's and OpenPIV's side of the comparison: `contestant.py NAME FOLDER`.

Reads the same tasks from standard input as the `contest` example of terzetto-kernels, one a line:

    time MODE COUPLE THREADS REPEATS   -> seconds a couple
    field MODE COUPLE FILE             -> writes x,y,dx,dy

Modes: `one`, a pass of 32-px windows with 50 % overlap; `multi`, that and a second pass of 16-px windows; `same`,
further passes with the same windows, for `quality.py`; `normalised` (OpenPIV), one pass with the windows' means
removed; `gaussian` (fluidimage), one pass with another fit of the peak than its default. Both programs run as their own documentation shows, on one thread, with their own validation and replacement.
"""

import os
import sys
import time
import warnings

# Before NumPy is loaded: one thread, as the comparison says.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")

import numpy as np
from imageio.v3 import imread

# Where both put a window's centre: at pixel n / 2; it is between the pixels n / 2 - 1 and n / 2.
HALF_PIXEL = 0.5


class Fluidimage:
    def __init__(self):
        from fluidimage.piv import Work

        self.works = {}
        for mode, passes, zoom in (("one", 1, 2), ("multi", 2, 2), ("gaussian", 1, 2), ("same", 2, 1)):
            params = Work.create_default_params()
            params.piv0.shape_crop_im0 = 32
            params.piv0.method_correl = "fftw"
            params.piv0.grid.overlap = 0.5
            if mode in ("gaussian", "same"):
                # Its default errs most where the peak is narrow.
                params.piv0.method_subpix = "2d_gaussian"
            params.multipass.number = passes
            params.multipass.coeff_zoom = zoom
            params.multipass.use_tps = "last" if passes == 1 else True
            params.mask.strcrop = None
            self.works[mode] = Work(params=params)

    def compute(self, mode, first, second):
        from fluidimage.data_objects.piv import ArrayCouple

        couple = ArrayCouple(names=("a", "b"), arrays=(first, second))
        return self.works[mode].calcul(couple)

    def vectors(self, mode, result):
        last = result.passes[-1] if hasattr(result, "passes") else result
        # The field of a comparison at equal settings is the measured one, without the smoothing after it.
        if mode == "multi":
            field = last.ixvecs_final, last.iyvecs_final, last.deltaxs_final, last.deltays_final
        else:
            field = last.xs, last.ys, last.deltaxs, last.deltays
        return moved(field, -HALF_PIXEL)


class Openpiv:
    def compute(self, mode, first, second):
        from openpiv import filters, pyprocess, validation, windef

        if mode in ("one", "normalised"):
            # Without the peak ratio, which takes OpenPIV longer than all else.
            u, v, _ = pyprocess.extended_search_area_piv(
                first,
                second,
                window_size=32,
                overlap=16,
                search_area_size=32,
                sig2noise_method=None,
                normalized_correlation=mode == "normalised",
            )
            invalid = validation.local_median_val(u, v, 3.0, 3.0)
            u, v = filters.replace_outliers(u, v, invalid, method="localmean", max_iter=3, kernel_size=2)
            x, y = pyprocess.get_coordinates(first.shape, search_area_size=32, overlap=16)
            return x, y, u, v
        settings = windef.PIVSettings()
        settings.windowsizes = (32, 16) if mode == "multi" else (32, 32, 32)
        settings.overlap = tuple(size // 2 for size in settings.windowsizes)
        settings.num_iterations = len(settings.windowsizes)
        settings.subpixel_method = "gaussian"
        settings.correlation_method = "circular"
        settings.sig2noise_method = None
        settings.sig2noise_validate = False
        settings.show_plot = False
        settings.show_all_plots = False
        x, y, u, v, _ = windef.first_pass(first, second, settings)
        mask = np.ma.masked_array(np.zeros(u.shape), mask=np.ma.nomask).mask
        u, v = np.ma.masked_array(u, mask=mask), np.ma.masked_array(v, mask=mask)
        invalid = validation.typical_validation(u, v, np.ones(u.shape), settings)
        u, v = filters.replace_outliers(u, v, invalid, method="localmean", max_iter=3, kernel_size=2)
        for index in range(1, settings.num_iterations):
            x, y, u, v, _, _ = windef.multipass_img_deform(first, second, index, x, y, u, v, settings)
        return x, y, u, v

    def vectors(self, mode, result):
        field = tuple(np.ma.filled(np.ma.asarray(part, dtype=float), np.nan) for part in result)
        # v is upwards, while rows are counted downwards, in all modes. Where images are deformed, by what the places
        # say, vectors converge to those of the places as they are said.
        return moved(field, -HALF_PIXEL) if mode in ("one", "normalised") else field


def moved(field, pixels):
    x, y, u, v = field
    return x + pixels, y + pixels, u, v


def write(file, vectors):
    """Writes x, y, dx, dy."""
    columns = np.column_stack([np.ravel(part) for part in vectors])
    np.savetxt(file, columns, delimiter=",", header="x,y,dx,dy", comments="")


def main():
    contestant = {"fluidimage": Fluidimage, "openpiv": Openpiv}[sys.argv[1]]()
    folder = sys.argv[2]
    # What they print while they compute must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    images = {}
    for line in sys.stdin:
        task, mode, couple, *rest = line.split()
        if couple not in images:
            images[couple] = [imread(f"{folder}/{couple}_{letter}.png") for letter in "ab"]
        # What a first call compiles, plans or caches is no one's time.
        result = contestant.compute(mode, *images[couple])
        if task == "time":
            repeats = int(rest[1])
            start = time.perf_counter()
            for _ in range(repeats):
                contestant.compute(mode, *images[couple])
            answer = f"{(time.perf_counter() - start) / repeats:.9f}"
        else:
            write(rest[0], contestant.vectors(mode, result))
            answer = "done"
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main()
