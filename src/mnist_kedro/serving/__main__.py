"""Serve a trained model over HTTP, or choose which one is served."""

import argparse
import importlib.util
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from mnist_kedro.errors import InputError
from mnist_kedro.serving.addresses import (
    Host,
    format_url,
    list_allowed_hosts,
    listen,
    parse_host,
)
from mnist_kedro.serving.promote import COMMANDS
from mnist_kedro.versions import find_versions

logger = logging.getLogger("mnist_kedro.serving")

_MODELS = Path("data/06_models")
_REFRESH_SECONDS = 2.0


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; if the project has no exported model, make one first."""
    options = _parse_options(arguments)
    logging.basicConfig(format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # It warns of each queued request.
    sys.setswitchinterval(0.001)  # Health checks get the GIL sooner while the workers are busy.
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        if options.command == "serve":
            _serve(options)
        else:
            logging.disable(logging.INFO)
            COMMANDS[options.command](options)
    except (KeyboardInterrupt, SystemExit):
        print("Stopped.")  # noqa: T201
    except InputError as error:
        sys.exit(f"Error: {error}")


def _parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mnist_kedro.serving", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=["serve", *COMMANDS],
        help="serve the promoted model (default); or list all exported models, promote VERSION, or "
        "go back to the model that was promoted before",
    )
    parser.add_argument("version", nargs="?", help="of an exported model, to promote it")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", default=8000, type=_integer_in(0, 65535), help="port (%(default)s; 0 for any)"
    )
    parser.add_argument(
        "--allowed-hosts",
        default=[],
        type=_parse_hosts,
        action="extend",
        metavar="NAME[,NAME...]",
        help="hosts that URLs may name besides localhost and --host",
    )
    parser.add_argument("--models", default=_MODELS, type=Path, help="model folder (%(default)s)")
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FOLDER",
        help="accept corrections of users, and keep them in this folder (default: accept none)",
    )
    parser.add_argument("--model", help="name of the model (default: the promoted one)")
    # Most of the work holds Python's lock: two workers on two cores took 1.6 times as long as one.
    parser.add_argument(
        "--threads", default=1, type=_integer_in(1, 64), help="workers for the API (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if (options.version is not None) != (options.command == "promote"):
        parser.error("'promote' needs the version of an exported model; no other command has one")
    return options


def _integer_in(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"expected an integer in {low}-{high}, found {text!r}")

    return parse


def _parse_hosts(text: str) -> list[Host]:
    hosts = [parse_host(name.strip()) for name in text.split(",")]
    if all(re.fullmatch(r"[\w.-]+", host, re.ASCII) for host in hosts if isinstance(host, str)):
        return hosts
    raise argparse.ArgumentTypeError(
        f"expected host names without http:// and port, such as digits.example, found {text!r}"
    )


def _serve(options: argparse.Namespace) -> None:
    try:
        from mnist_kedro.serving.app import create_app  # noqa: PLC0415
        from mnist_kedro.serving.metrics import Metrics  # noqa: PLC0415
        from mnist_kedro.serving.model import DEFAULT_MODEL, ModelStore  # noqa: PLC0415
        from mnist_kedro.serving.server import create_server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is needed to serve; pip install 'mnist_kedro[serving]'."
        ) from error
    sockets = listen(options.host, options.port)  # before a training, which takes minutes
    allowed_hosts = list_allowed_hosts(options.allowed_hosts, options.host, sockets)
    models, metrics = ModelStore(options.models, options.model), Metrics()
    models.refresh()
    name = options.model or DEFAULT_MODEL
    exported = any(find_versions(options.models / f"{name}_onnx.json"))
    if not (exported or models.current) and _can_train(options.models):
        _make_model(options.models, name)
        models.refresh()
    app = create_app(models, metrics, allowed_hosts, options.corrections)
    server = create_server(app, metrics, sockets, options.threads)
    models.watch(_REFRESH_SECONDS)
    if models.current is None:
        logger.warning("%s (in %s).", models.unavailable_reason, options.models)
    logger.info("Serving on %s (Ctrl-C stops).", " and ".join(map(format_url, sockets)))
    try:
        server.run()
    finally:
        app.extensions["teaching"].end()


def _can_train(models: Path) -> bool:
    """Return whether the models are those of the Kedro project in the current folder."""
    return (
        models == _MODELS
        and Path("conf/base").is_dir()
        and importlib.util.find_spec("kedro") is not None
    )


def _make_model(models: Path, name: str) -> None:
    """Run Kedro to export the model, and to train it first if it has no trained version."""
    trained = any(find_versions(models / f"{name}.keras"))
    pipelines = "export" if trained else "ingestion,data_processing,training,export"
    action = "exporting the trained model" if trained else "training one from the data at hand"
    logger.info("No exported model '%s' found: %s (first start only).", name, action)
    command = ["run", "--pipelines", pipelines, "--to-outputs", "promotion"]
    command += ["--params", f"training.models=[{name}]"]
    finished = subprocess.run([sys.executable, "-m", "kedro", *command], check=False)  # noqa: S603
    if finished.returncode:
        raise InputError(f"'kedro {' '.join(command)}' failed; see its messages above.")


def _exit_on_signal(_number: int, _frame: object) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    main()
