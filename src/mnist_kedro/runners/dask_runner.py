"""Run nodes as tasks of a Dask cluster."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from kedro.framework import project
from kedro.pipeline import Pipeline
from kedro.runner.runner import AbstractRunner
from pluggy import PluginManager

from mnist_kedro.runners.errors import DaskRunnerError
from mnist_kedro.runners.preparation import digest_code, prepare_workers

CONNECT_SECONDS = 10
WORKER_SECONDS = 60  # maximum wait for the first worker


class DaskRunner(AbstractRunner):
    """Run each node on a worker of a ``dask.distributed`` cluster as soon as its inputs exist.

    A worker runs one node at a time. Nodes load and save data through the catalog, so all machines
    must have access to the same files. The output of a node that the catalog keeps in memory stays
    on the node's worker, which sends it to the workers that need it. If a worker is lost, its nodes
    run again on another worker. If a node fails, no other node starts. If the run is interrupted,
    its nodes are interrupted, too.

    Hooks are called in the process that started the run, one after the other, in Kedro's order.
    Hooks get copies of the data, so changing data in place has no effect.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, is_async: bool = False
    ) -> None:
        """Check the options; each run opens its own connection to the cluster.

        Args:
            address: address of a scheduler, such as ``tcp://10.0.0.1:8786``; None starts a local
                cluster of worker processes for the run.
            workers: number of worker processes in a local cluster; None starts one per core.
            is_async: must be false, because nodes run in parallel anyway.

        Raises:
            DaskRunnerError: if an option is invalid, or if Dask is not installed.
        """
        if is_async:
            raise DaskRunnerError(
                "DaskRunner does not support --async: nodes run in parallel anyway."
            )
        if address is not None and workers is not None:
            raise DaskRunnerError("DaskRunner: set either 'workers' or 'address', not both.")
        if workers is not None and (not isinstance(workers, int) or workers < 1):
            raise DaskRunnerError(
                f"DaskRunner: expected an integer ≥ 1 for 'workers', found {workers!r}."
            )
        try:
            import distributed  # noqa: F401, PLC0415  (an optional dependency)
        except ModuleNotFoundError as error:
            raise DaskRunnerError(
                f"DaskRunner requires {error.name}; pip install 'mnist_kedro[dask]'."
            ) from error
        super().__init__(is_async=False)
        self._address, self._workers = address, workers

    def __str__(self) -> str:
        """Return the name of the runner, as ``--runner`` expects it."""
        return "mnist_kedro.runners.DaskRunner"

    def _get_executor(self, max_workers: int) -> Executor | None:  # noqa: ARG002
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: Any,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        from mnist_kedro.runners.run import DaskRun  # noqa: PLC0415  (needs Dask's packages)

        packages: list[str] = [project.PACKAGE_NAME] if project.PACKAGE_NAME else []
        with self._client(packages) as client:
            code = {package: digest_code(package) for package in packages}
            dask_run = DaskRun(client, pipeline, catalog, hook_manager, run_id, code)
            try:
                dask_run.execute(self._release_datasets)
            except KeyboardInterrupt as error:
                for note in dask_run.interrupt():
                    error.add_note(note)
                raise
            except Exception:
                self._suggest_resume_scenario(pipeline, dask_run.done, catalog)
                raise
            finally:
                dask_run.close()

    @contextmanager
    def _client(self, packages: list[str]) -> Iterator[Any]:
        import dask  # noqa: PLC0415
        from distributed import Client, LocalCluster  # noqa: PLC0415

        for name in ("distributed", "distributed.client"):  # this runner reports the errors itself
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self._address is None:
            with (
                dask.config.set({"distributed.worker.daemon": False}),  # nodes may start processes
                LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    memory_limit=0,  # no limit, because TensorFlow reserves more than it uses
                    dashboard_address=":0",  # any free port, because another cluster may run
                    silence_logs=logging.CRITICAL,
                ) as cluster,
                Client(cluster) as client,
            ):
                yield _prepare(client, packages)
            return
        try:
            client = Client(self._address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise DaskRunnerError(
                f"{self._address}: no Dask scheduler answers at this address ({error})."
            ) from error
        with client:
            yield _prepare(client, packages)


def _prepare(client: Any, packages: list[str]) -> Any:
    """Wait for a worker, prepare all workers, and return the client."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise DaskRunnerError(
            f"{client.scheduler.address}: the scheduler has no workers; "
            f"start one with 'dask worker {client.scheduler.address}'."
        ) from error
    prepare_workers(client, packages)
    return client
