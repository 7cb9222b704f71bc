"""Kill runs at random moments; after each kill, nothing is lost and the next run is a good one.

python -m tests.reliability.kill --times 200
"""

import random
import shutil
import time
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from tests.conftest import copy_project
from tests.reliability.runs import Project, last_stage, report


def kill_runs(folder: Path, times: int, seed: int) -> Counter[str]:
    """Kill so many runs, each followed by a good one.

    Returns:
        How many were killed after which stage; runs that were faster do not count.

    Raises:
        AssertionError: when anything was lost, half a version was left, or a run went wrong.
    """
    chance = random.Random(seed)
    project = Project(copy_project(folder / "Projekt ü"))
    try:
        project.run()  # the first has to compile and to ingest
        started = time.monotonic()
        assert project.run().status == 0
        duration = time.monotonic() - started
        expected = project.metrics()
        stages: Counter[str] = Counter()
        progress = tqdm(total=times, desc="runs", disable=None)
        while stages.total() < times:
            before = project.files()
            arguments = ["--params", "ingestion.source=sample"] if chance.random() < 0.3 else []
            after = chance.uniform(0.2, 1.05 * duration)
            killed = project.run(*arguments, kill_after=after)
            if killed.status == 0:
                continue  # it was faster
            assert killed.status == -9, killed.log
            left = project.files()
            assert {name: left.get(name) for name in before} == before, "an earlier file changed"
            project.check(sorted(left.keys() - before.keys()))

            resume = ["--params", "training.resume=true"] if chance.random() < 0.5 else []
            project.check_recovery(expected, *resume)
            stages[last_stage(killed.log)] += 1
            progress.update()
            _keep_newest(project.data)
        return stages
    finally:
        project.close()


def _keep_newest(data: Path) -> None:
    """Keep the newest two versions of each dataset, so that the disk stays small."""
    for dataset in data.glob("0*/*"):
        if dataset.name != "checkpoints":
            for version in sorted(dataset.iterdir())[:-2]:
                shutil.rmtree(version)


if __name__ == "__main__":
    report(__doc__.splitlines()[0], "kills", kill_runs)
