"""Send odd pictures to the web app and to ``inference``: each gets digits or a reason.

    python -m tests.reliability.pictures --times 20000

Needs an exported model (``kedro run`` and ``kedro run --pipelines export``).
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mnist_kedro.pictures.files import open_folder
from mnist_kedro.serving.app import create_app
from mnist_kedro.serving.metrics import Metrics
from mnist_kedro.serving.model import ModelStore
from tests.support.odd_pictures import odd_file

SECONDS = 5.0  # a picture may take


def send_pictures(client: Any, folder: Path, seeds: Iterable[int]) -> Counter[str]:
    """Send each picture to ``/api/predict`` and ``/api/read``, and read it as a file of a folder.

    Returns:
        How many got a digit, and how many got which code or status instead.

    Raises:
        AssertionError: naming the seed of a picture that went wrong.
    """
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        data = odd_file(seed)
        (folder / f"{seed}.png").write_bytes(data)
        for address in ("/api/predict", "/api/read"):
            start = time.monotonic()
            answer = client.post(address, data=data, content_type="application/octet-stream")
            assert answer.status_code in {200, 422}, (seed, address, answer.data[:200])
            assert time.monotonic() - start < SECONDS, (seed, address)
            outcomes[f"{address}: {answer.get_json().get('code', 'digits')}"] += 1
    files = sorted(folder.iterdir())
    pictures = open_folder(folder)
    rows = [row for batch in pictures.take(range(pictures.total)) for row in batch.status]
    assert len(rows) == len(files)
    for file, status in zip(files, rows, strict=True):
        assert "cannot be prepared" not in status, (file.name, status)
        outcomes[f"inference: {status.partition(':')[0]}"] += 1
    return outcomes


def main() -> None:
    """Send pictures, a thousand at a time."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.pictures")
    parser.add_argument("--times", default=20_000, type=int, help="number of pictures")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--models", default=Path("data/06_models"), type=Path)
    options = parser.parse_args()
    models = ModelStore(options.models, "cnn")
    models.refresh()
    client = create_app(models, Metrics()).test_client()
    outcomes: Counter[str] = Counter()
    end = options.seed + options.times
    for first in tqdm(range(options.seed, end, 1000), desc="thousands", disable=None):
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(first, min(first + 1000, end))
            outcomes += send_pictures(client, Path(folder), seeds)
    for outcome, count in sorted(outcomes.items()):
        sys.stdout.write(f"{count:7,}  {outcome}\n")


if __name__ == "__main__":
    main()
