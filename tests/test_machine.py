import os
import subprocess
import sys

import pytest

from mnist_kedro.machine import usable_cores


def test_a_worker_s_threads_count(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert usable_cores() == 3
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "")
    assert usable_cores() >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no processes")
def test_only_cores_that_the_process_may_run_on_count():
    core = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, [{core}]); import mnist_kedro.machine as c; "
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    variables.pop("TF_NUM_INTRAOP_THREADS", None)
    done = subprocess.run(
        [sys.executable, "-c", f"{program}print(c.usable_cores())"],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"
