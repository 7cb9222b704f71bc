"""Train one recipe in this process: ``python -m benchmarks.worker keras_io digits.npz``.

The worker prints a line of JSON for each epoch, and a last one with its peak memory and the speed
of inference.
"""

import argparse
import importlib
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.recipe import Digits

_BATCH, _SINGLES = 1000, 200


def main() -> None:
    """Train the recipe, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("digits", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--environment")
    parser.add_argument("--inference", action="store_true")
    arguments = parser.parse_args()

    digits = Digits.load(arguments.digits)
    recipe = importlib.import_module(f"benchmarks.{arguments.recipe}")
    names = ("epochs", "environment")
    options = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    model = recipe.train(digits, arguments.seed, **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    resources: dict[str, float] = {"peak_memory_mib": round(peak)}
    if arguments.inference:
        resources |= _inference(recipe.predictor(model), digits)
    print(json.dumps(resources), flush=True)


def _inference(predict: Callable[[np.ndarray], np.ndarray], digits: Digits) -> dict[str, float]:
    """Measure throughput in batches and latency of one digit; medians, after a warm-up."""
    images = digits.x_test
    batches = [images[i : i + _BATCH] for i in range(0, len(images), _BATCH)]
    predict(batches[0])
    predict(images[:1])
    throughputs = []
    for _ in range(5):
        started = time.perf_counter()
        for batch in batches:
            predict(batch)
        throughputs.append(len(images) / (time.perf_counter() - started))
    latencies = []
    for i in range(_SINGLES):
        started = time.perf_counter()
        predict(images[i % len(images)][None])
        latencies.append(1000 * (time.perf_counter() - started))
    return {
        "digits_per_second": round(median(throughputs)),
        "milliseconds_for_one": round(median(latencies), 3),
    }


if __name__ == "__main__":
    main()
