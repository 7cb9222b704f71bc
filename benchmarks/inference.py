"""Time the inference from files to predictions, with the project and with ONNX Runtime alone.

    python -m benchmarks.inference

Needs an exported model and an idle machine; writes ``benchmarks/results/inference.md``.
"""

import argparse
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import h5py
from PIL import Image

from benchmarks.commands import configure, measure
from mnist_kedro.machine import processor
from mnist_kedro.versions import latest_version

_RESULTS = Path(__file__).parent / "results" / "inference.md"
_PICTURES = 1000

# A minimal script: it neither checks the digits nor detects non-digit images.
_ALONE = """
import sys
from pathlib import Path
import numpy as np
import onnxruntime
source, model, output = map(Path, sys.argv[1:])
if source.is_dir():
    from PIL import Image
    images = np.stack([np.asarray(Image.open(file)) for file in sorted(source.iterdir())])
else:
    import h5py
    images = h5py.File(source)["images"][:]
session = onnxruntime.InferenceSession(model)
probabilities = [session.run(["probabilities"], {"pixels": images[i : i + 1000, ..., None]})[0]
                 for i in range(0, len(images), 1000)]
table = np.concatenate(probabilities)
np.savetxt(output, np.c_[table.argmax(axis=1), table], delimiter=",", fmt="%.9g")
"""


def main() -> None:
    """Measure one image, a file of images and a folder, and write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--data", default=Path("data"), type=Path)
    parser.add_argument("--times", default=5, type=int, help="repetitions of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = _measure(Path(folder), options.data, options.times)
    table = "\n".join("| {} | {:.2f} | {:.2f} |".format(*row) for row in rows)
    _RESULTS.write_text(
        "# Inference from files to predictions\n\n"
        "Time of the complete command, in seconds. `kedro run --pipelines inference` also "
        "checks the images, calibrates the probabilities for pictures, detects non-digit images, "
        "and draws the contact sheet. The script loads the images, runs the exported network with "
        f"ONNX Runtime, and saves the probabilities. Medians of {options.times} alternating runs.\n"
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {processor()}, Python {platform.python_version()}; "
        "created by `python -m benchmarks.inference`.\n\n"
        f"| digits | `kedro run` | ONNX Runtime alone |\n|---|---|---|\n{table}\n"
    )
    print(_RESULTS.read_text())


def _measure(folder: Path, data: Path, times: int) -> list[tuple[str, float, float]]:
    conf = folder / "conf"
    configure(conf, folder / "data")
    shutil.copytree(data / "06_models", folder / "data" / "06_models")
    model = latest_version(folder / "data" / "06_models" / "cnn.onnx")
    with h5py.File(latest_version(data / "05_model_input" / "test.hdf5")) as test:
        digits = test["images"][:].reshape(-1, 28, 28)
    few, all_of_them, files = folder / "1.hdf5", folder / "all.hdf5", folder / "pictures"
    for path, images in ((few, digits[:1]), (all_of_them, digits)):
        with h5py.File(path, "w") as file:
            file["images"] = images
    files.mkdir()
    for number, digit in enumerate(digits[:_PICTURES]):
        Image.fromarray(digit).save(files / f"{number:04}.png")
    sources = {
        "one, HDF5": few,
        f"{len(digits):,}, HDF5": all_of_them,
        f"{_PICTURES:,}, PNG files": files,
    }
    rows = []
    for name, source in sources.items():
        kedro = [sys.executable, "-m", "kedro", "run", f"--conf-source={conf}"]
        kedro += ["--pipelines=inference", f"--params=inference.images={source}"]
        output = str(folder / "predictions.csv")
        alone = [sys.executable, "-c", _ALONE, str(source), str(model), output]
        seconds = [(measure(kedro)[0], measure(alone)[0]) for _ in range(times)]
        rows.append((name, *map(median, zip(*seconds, strict=True))))
        print(rows[-1], file=sys.stderr)
    return rows


if __name__ == "__main__":
    main()
