"""Kill runs at random moments; after each kill, nothing is lost and the next run is a good one.

python -m tests.reliability.kill --times 200
"""

import random
import shutil
import signal
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from mnist_kedro.versions import find_versions
from tests.reliability.runs import Reference, last_stage, report
from tests.support.project import Project


def kill_runs(project: Project, times: int, seed: int) -> Counter[str]:
    """Kill so many runs, each followed by a good one.

    Returns:
        How many were killed after which stage; runs that were faster do not count.

    Raises:
        AssertionError: when anything was lost, half a version was left, or a run went wrong.
    """
    chance = random.Random(seed)
    duration = project.latest_json("08_reporting/run_manifest.json")["seconds"]
    reference = Reference(project)
    stages: Counter[str] = Counter()
    progress = tqdm(total=times, desc="runs", disable=None)
    while stages.total() < times:
        before = project.files()
        run = project.start("run", "--env", "smoke")
        if run.ends_within(chance.uniform(0.2, 1.05 * duration)):
            run.wait()
            continue  # it was faster
        run.send(signal.SIGKILL)
        killed = run.wait()
        left = project.files()
        assert {name: left.get(name) for name in before} == before, "an earlier file changed"
        reference.check(project, left.keys() - before.keys())

        resume = ["--params", "training.resume=true"] if chance.random() < 0.5 else []
        reference.check_recovery(project, *resume)
        stages[last_stage(killed.log)] += 1
        progress.update()
        _keep_newest(project.data)
    return stages


def _keep_newest(data: Path) -> None:
    """Keep the newest two versions of each dataset, so that the disk stays small."""
    for dataset in data.glob("0*/*"):
        for version in [*find_versions(dataset)][2:]:
            shutil.rmtree(dataset / version)


if __name__ == "__main__":
    report(__doc__.splitlines()[0], "kills", kill_runs)
