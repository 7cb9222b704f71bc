"""``python -m mnist_kedro.serving``: digits drawn in the browser, read while they are drawn."""

import argparse
import importlib.util
import logging
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from mnist_kedro.errors import InputError
from mnist_kedro.machine import usable_cores

logger = logging.getLogger("mnist_kedro.serving")

_MODELS = Path("data/06_models")
_LOOK_SECONDS = 2.0  # how often for a new version


def main(arguments: list[str] | None = None) -> None:
    """Serve until the program is told to end; without a model, make one first."""
    options = _parse(arguments)
    logging.basicConfig(format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # of waiting requests, one by one
    sys.setswitchinterval(0.001)  # seconds; health checks wait less beside busy workers
    signal.signal(signal.SIGTERM, _end)
    try:
        _serve(options)
    except (KeyboardInterrupt, SystemExit):
        print("Stopped.")  # noqa: T201
    except InputError as error:
        sys.exit(f"Error: {error}")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mnist_kedro.serving", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", default=8000, type=int, help="(%(default)s; 0 for any)")
    parser.add_argument("--models", default=_MODELS, type=Path, help="the folder (%(default)s)")
    parser.add_argument("--model", default="cnn", help="its name there (%(default)s)")
    parser.add_argument(
        "--threads", default=usable_cores(), type=int, help="workers for the API (%(default)s)"
    )
    return parser.parse_args(arguments)


def _serve(options: argparse.Namespace) -> None:
    try:
        from mnist_kedro.serving.app import create_app  # noqa: PLC0415
        from mnist_kedro.serving.metrics import Metrics  # noqa: PLC0415
        from mnist_kedro.serving.model import ModelStore  # noqa: PLC0415
        from mnist_kedro.serving.server import create_server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is needed to serve; pip install 'mnist_kedro[serving]'."
        ) from error
    models, metrics = ModelStore(options.models, options.model), Metrics()
    models.refresh()
    if models.current is None and not models.refused and _in_project(options.models):
        _make_model(options.models, options.model)
        models.refresh()
    app = create_app(models, metrics)
    try:
        server = create_server(app, metrics, options.host, options.port, options.threads)
    except OSError as error:
        raise InputError(
            f"{options.host}:{options.port} cannot be listened at ({error.strerror}); "
            "--port names another."
        ) from error
    models.watch(_LOOK_SECONDS)
    if models.current is None:
        logger.warning("%s.", models.reason)
    logger.info("http://%s:%s  (Ctrl-C ends)", options.host, server.effective_port)
    server.run()


def _in_project(models: Path) -> bool:
    return (
        models == _MODELS
        and Path("conf/base").is_dir()
        and importlib.util.find_spec("kedro") is not None
    )


def _make_model(models: Path, name: str) -> None:
    """From the data at hand; only its export if it is trained already."""
    trained = any((models / f"{name}.keras").glob(f"*/{name}.keras"))
    pipelines = "export" if trained else "ingestion,data_processing,training,export"
    what = "exporting the one that was trained" if trained else "training one from the data at hand"
    logger.info("There is no exported model '%s' yet: %s, once.", name, what)
    command = ["run", "--pipelines", pipelines, "--params", f"training.models=[{name}]"]
    finished = subprocess.run([sys.executable, "-m", "kedro", *command], check=False)  # noqa: S603
    if finished.returncode:
        raise InputError(f"'kedro {' '.join(command)}' failed.")


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    main()
