"""Measure commands, and configure projects for them."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measure(command: list[str]) -> tuple[float, str]:
    """Run a command in the project; return its time in seconds and its output.

    Raises:
        SystemExit: if the command fails, with its error output.
    """
    started = time.perf_counter()
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(finished.stderr)
    return time.perf_counter() - started, finished.stdout + finished.stderr


def configure(conf: Path, data: Path) -> None:
    """Create a copy of ``conf/`` that stores all data in another folder."""
    shutil.copytree(ROOT / "conf", conf, ignore=shutil.ignore_patterns("local"))
    (conf / "local").mkdir()
    (conf / "local" / "globals.yml").write_text(f"paths: {{root: {data}}}\n")
