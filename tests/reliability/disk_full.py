"""Fill the disk at random moments; a full disk is told in a line, and nothing is lost.

    python -m tests.reliability.disk_full --times 200

A real file system of a random size, in memory; mounting one needs root.
"""

import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Self

import pytest
from tqdm import tqdm

from tests.reliability.runs import Reference, last_stage, report
from tests.support.project import Project

_ENOUGH = 64 * 2**20
_LARGEST = 5 * 2**20  # a run of `--env smoke` saves some 4 MB


def fill_disks(project: Project, times: int, seed: int) -> Counter[str]:
    """Run so many times on a disk that becomes full, each followed by a good run on a larger one.

    Returns:
        How many runs ended after which stage.

    Raises:
        AssertionError: when a run crashed, half a version was left, or a later run went wrong.
    """
    chance = random.Random(seed)
    reference = Reference(project)
    stages: Counter[str] = Counter()
    progress = tqdm(total=times, desc="runs", disable=None)
    while stages.total() < times:
        size = round(_LARGEST * chance.random() ** 2)
        with small_disk(project.data, max(4096, size)) as disk:
            full = project.run()
            if full.status == 0:
                continue  # there was space enough
            assert full.status == 1, f"{full.status}\n{full.log}"
            assert "Traceback" not in full.log, full.log
            assert "disk full, at least" in full.log or "No space left" in full.log, full.log
            reference.check(project, project.files())

            disk.resize(_ENOUGH)
            resume = ["--params", "training.resume=true"] if chance.random() < 0.5 else []
            reference.check_recovery(project, *resume)
            stages[last_stage(full.log)] += 1
            progress.update()
    return stages


def can_mount() -> bool:
    """Whether this is root, with the right to mount: containers often lack it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="mounting a file system needs root")


class small_disk:  # noqa: N801  (a context manager, used like a function)
    """A file system of so many bytes, mounted in a folder."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mount(f"size={self._size}", "-t", "tmpfs", "tmpfs")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)

    def resize(self, size: int) -> None:
        """Make it larger, or smaller than what is on it."""
        self._mount(f"remount,size={size}")

    def make_read_only(self) -> None:
        """Let nothing be written any more."""
        self._mount("remount,ro")

    def _mount(self, options: str, *what: str) -> None:
        subprocess.run(["mount", "-o", options, *what, str(self._folder)], check=True)


if __name__ == "__main__":
    report(__doc__.splitlines()[0], "full disks", fill_disks)
