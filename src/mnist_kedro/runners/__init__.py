"""Ways to run pipelines that Kedro does not bring.

kedro run --runner mnist_kedro.runners.DaskRunner --runner-params address=tcp://…
"""

from mnist_kedro.runners.dask_runner import DaskRunner

__all__ = ["DaskRunner"]
