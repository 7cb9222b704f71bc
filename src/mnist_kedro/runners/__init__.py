"""Run pipelines on a Dask cluster.

Usage::

    kedro run --runner mnist_kedro.runners.DaskRunner --runner-params address=tcp://…
"""

from mnist_kedro.runners.dask_runner import DaskRunner

__all__ = ["DaskRunner"]
