"""Nodes as tasks of a Dask cluster."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner.runner import AbstractRunner
from pluggy import PluginManager

from mnist_kedro.errors import InputError
from mnist_kedro.runners.dask_run import DaskRun
from mnist_kedro.runners.task import prepare_workers

CONNECT_SECONDS = 10
WORKER_SECONDS = 60  # for the first to come


class DaskRunner(AbstractRunner):
    """Runs each node on a worker of a ``dask.distributed`` cluster as soon as its inputs are there.

    A worker has one node at a time, and as many threads for it as Dask gives the worker. Data go
    through the catalog, so all machines have to see the same files; only what the catalog keeps in
    memory stays on the worker that made it, and goes to where it is needed. When a worker is lost,
    the nodes that it had at work run again on another. When the run is interrupted, so are they.

    Hooks are called here, where the run was started, in Kedro's order. Those that ask for data
    that are elsewhere have them loaded by the catalog.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, is_async: bool = False
    ) -> None:
        """Reaches for nothing yet.

        Args:
            address: of a scheduler, as ``tcp://10.0.0.1:8786``; None: a cluster of processes on
                this machine, for this run.
            workers: how many processes there are without an address; None: one for each core.
            is_async: must be false; nodes run side by side anyway.

        Raises:
            InputError: when an option is not as it should be, or Dask is not installed.
        """
        if is_async:
            raise InputError("DaskRunner has no --async: nodes run side by side anyway.")
        if address is not None and workers is not None:
            raise InputError("DaskRunner: 'workers' is not for a cluster with an 'address'.")
        if workers is not None and (not isinstance(workers, int) or workers < 1):
            raise InputError(f"DaskRunner: 'workers' should be a whole number ≥ 1, is {workers!r}.")
        try:
            import distributed  # noqa: F401, PLC0415  (for those alone who use it)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is needed for DaskRunner; pip install 'mnist_kedro[dask]'."
            ) from error
        super().__init__(is_async=False)
        self._address, self._workers = address, workers

    def __str__(self) -> str:
        """As it is named on the command line."""
        return "mnist_kedro.runners.DaskRunner"

    def _get_executor(self, max_workers: int) -> Executor | None:  # noqa: ARG002
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        with self._client() as client:
            run = DaskRun(client, pipeline, catalog, hook_manager, run_id)
            try:
                run.to_the_end()
            except KeyboardInterrupt as error:
                for note in run.interrupt():
                    error.add_note(note)
                raise
            except Exception:
                self._suggest_resume_scenario(pipeline, run.done, catalog)
                raise
            finally:
                run.cancel()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client, LocalCluster  # noqa: PLC0415

        for name in ("distributed", "distributed.client"):  # what they tell is told here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self._address is None:
            with (
                LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    memory_limit=0,  # TensorFlow reserves more than it uses
                    dashboard_address=":0",  # any port: there may be another cluster
                    silence_logs=logging.CRITICAL,
                ) as cluster,
                Client(cluster) as client,
            ):
                yield _ready(client)
            return
        try:
            client = Client(self._address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self._address}: no Dask scheduler answers there (address; {error})."
            ) from error
        with client:
            yield _ready(client)


def _ready(client: Any) -> Any:
    from distributed import LocalCluster  # noqa: PLC0415

    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise InputError(
            f"{client.scheduler.address}: the scheduler has no workers; "
            f"'dask worker {client.scheduler.address}' starts one."
        ) from error
    prepare_workers(client)
    if not isinstance(client.cluster, LocalCluster):  # whose workers write here themselves
        client.forward_logging("mnist_kedro", level="INFO")
    return client
