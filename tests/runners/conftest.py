"""The runners, and one Dask cluster of processes for all tests."""

import pytest
from kedro.framework import project
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.runner import SequentialRunner, ThreadRunner

from mnist_kedro.runners import DaskRunner


@pytest.fixture(scope="session")
def workers():
    """Address of a cluster of two worker processes."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def no_project(monkeypatch):
    """As in a script without a Kedro project, whose logging is not configured here."""
    monkeypatch.setattr(project, "PACKAGE_NAME", None)


@pytest.fixture
def dask(workers, no_project):
    return DaskRunner(address=workers)


@pytest.fixture(params=["sequential", "thread", "dask"])
def runner(request):
    """Each of Kedro's runners that call hooks in this process, and the runner for Dask."""
    kinds = {"sequential": SequentialRunner, "thread": ThreadRunner}
    return kinds[request.param]() if request.param in kinds else request.getfixturevalue("dask")


@pytest.fixture
def hooked():
    """Make a plugin manager with hooks."""

    def make(*hooks):
        manager = _create_hook_manager()
        for hook in hooks:
            manager.register(hook)
        return manager

    return make
