"""How many things this process may do at once."""

import os


def usable_cores() -> int:
    """As many as TensorFlow may, where that is set, as on a Dask worker; else those of the machine.

    Of the machine's those count that the process is allowed to run on.
    """
    told = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    if told > 0:
        return told
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
