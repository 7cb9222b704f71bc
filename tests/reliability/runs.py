"""What runs leave that were meant to go wrong."""

import argparse
import json
import re
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

from mnist_kedro.datasets import HDF5Dataset
from tests.support.project import Project

STAGE = re.compile(r"Done: (\S+)|(\w+: epoch \d+)")


class Reference:
    """What a good run has made, as the measure of what others leave."""

    def __init__(self, project: Project) -> None:
        """Look at the latest outputs of a project."""
        self.metrics = project.metrics()
        self._texts = {
            path.name: path.read_text().splitlines()
            for path in sorted(project.data.rglob("*"))
            if path.suffix in {".csv", ".html", ".md"} and path.is_file()
        }

    def check(self, project: Project, names: Iterable[str]) -> None:
        """Open files as their datasets do; raise if one is not whole."""
        for name in sorted(names):
            self._open(project.data / name)

    def check_recovery(self, project: Project, *arguments: str) -> None:
        """Run again: the metrics are the same, and every file there was is as it was."""
        left = project.files()
        project.make(*arguments)
        assert project.metrics() == self.metrics, "the next run has another result"
        now = project.files()
        assert {name: now.get(name) for name in left} == left, "the next run changed a file"
        self.check(project, now.keys() - left.keys())

    def _open(self, path: Path) -> None:
        match path.suffix:
            case ".hdf5":
                HDF5Dataset(filepath=str(path)).load()
            case ".json":
                json.loads(path.read_text())
            case ".csv":
                assert len(path.read_text().splitlines()) == len(self._texts[path.name]), path
            case ".html" | ".md":
                assert path.read_text().splitlines()[-1:] == self._texts[path.name][-1:], path
            case ".png":
                with Image.open(path) as picture:
                    picture.load()
            case ".keras":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None, path
            case _:
                raise ValueError(f"{path}: an unexpected file")


def report(
    description: str, counted: str, harness: Callable[[Project, int, int], Counter[str]]
) -> None:
    """Run a harness from the command line, and print what it counted.

    Args:
        description: of what it does.
        counted: what its counts are of.
        harness: of a project that has run once, how many times, and a seed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = Project.clone(Path(folder) / "Projekt ü")
        details = "loggers: {mnist_kedro: {level: DEBUG}}"  # by which `last_stage` knows the stages
        (project.folder / "conf" / "logging.yml").write_text(details)
        project.make()
        stages = harness(project, arguments.times, arguments.seed)
    result = {
        counted: stages.total(),
        "seconds": round(time.monotonic() - started),
        "after": dict(stages.most_common()),
    }
    print(json.dumps(result, indent=2))  # noqa: T201


def last_stage(log: str) -> str:
    """Return what a run had last said that it did."""
    found = [next(filter(None, match.groups())) for match in STAGE.finditer(log)]
    return found[-1] if found else "start"
