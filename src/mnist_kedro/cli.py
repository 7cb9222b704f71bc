"""Define ``kedro run``, with one-line error messages, and ``kedro remove-versions``."""

import copy
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
from kedro.config import BadConfigException, MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import settings
from kedro.io import DatasetError
from kedro.utils import load_obj
from omegaconf.errors import OmegaConfBaseException

from mnist_kedro.command_line_parameters import parse_parameters
from mnist_kedro.errors import InputError
from mnist_kedro.logs import log_details
from mnist_kedro.project_folder import project_folder
from mnist_kedro.runners.errors import DaskRunnerError

_CONFIGURATION_ERRORS = (BadConfigException, MissingConfigException, OmegaConfBaseException)
# Prefixes of Kedro's messages about invalid options and files in conf/.
_KEDRO_MESSAGES = (
    "Failed to find the pipeline named",
    "Pipeline does not contain",
    "Pipeline contains no nodes",
    "Duplicate keys found in",
    "Invalid YAML or JSON file",
    "Unable to find credentials",
)
_CORRUPTION_ERRORS = (ValueError, EOFError)  # raised by pandas and Python for corrupt files
_RUNNERS = "SequentialRunner, ThreadRunner, ParallelRunner, mnist_kedro.runners.DaskRunner"


class Run(click.Command):
    """Kedro's ``run`` with ``--verbose`` and with tracebacks only for unexpected errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and exit with status 0, 1 after an error, or 128 + n after signal n.

        Errors that the user can fix are reported in one line, unless ``--verbose`` is set.
        """
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _terminate)
        if ctx.meta.get("verbose"):
            log_details()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            lines = ["Interrupted.", *getattr(interrupt, "__notes__", [])]
            click.echo(f"\n{' '.join(lines)}", err=True)
            ctx.exit(128 + (signal.SIGTERM if interrupt.args else signal.SIGINT))
        except Exception as error:
            message = user_message(error)
            if message is None or ctx.meta.get("verbose"):
                raise
            raise click.ClickException(message) from error


def user_message(error: BaseException) -> str | None:
    """Return a one-line message for an error that the user can fix; None for any other error.

    The user can fix: an :class:`InputError`, even if it caused another error; errors of Kedro or
    the Dask runner about options and configuration; and files that cannot be loaded or saved.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, (InputError, DaskRunnerError)):
            return str(cause)
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, DatasetError):
        for cause in chain:
            if isinstance(cause, OSError) and cause.filename:
                return f"{cause.filename}: {cause.strerror}."
        unexpected = message.startswith("Failed while") and not isinstance(chain[-1], DatasetError)
        loading = message.startswith("Failed while loading")
        if unexpected and not (loading and isinstance(chain[-1], _CORRUPTION_ERRORS)):
            return None
    elif not isinstance(error, _CONFIGURATION_ERRORS) and not message.startswith(_KEDRO_MESSAGES):
        return None
    return " ".join(message.split())


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _terminate(_number: int, _frame: object) -> NoReturn:
    """Handle SIGTERM like Ctrl-C, so that an interrupted training reports how to resume it."""
    raise KeyboardInterrupt("terminated")


def _set_verbose(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    ctx.meta["verbose"] = value


def _parse_parameters(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    if isinstance(value, dict):  # from the file of --config
        return value
    try:
        return parse_parameters(value)
    except InputError as error:
        raise click.BadParameter(str(error), ctx, option) from error


def _check_runner(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            load_obj(value, "kedro.runner")
        except (AttributeError, ImportError, ValueError) as error:
            message = f"unknown runner '{value}'; choose one of {_RUNNERS}."
            raise click.BadParameter(message, ctx, option) from error
    return value


def _with_callback(option: click.Parameter) -> click.Parameter:
    """Replace Kedro's callbacks for ``--params`` and ``--runner`` with those of this project."""
    callbacks: dict[str | None, Callable[..., Any]] = {
        "params": _parse_parameters,
        "runner": _check_runner,
    }
    if option.name in callbacks:
        option = copy.copy(option)
        option.callback = callbacks[option.name]
    return option


@click.group(name="mnist_kedro")
def cli() -> None:
    """Commands of this project."""


run = Run(
    name="run",
    help=kedro_run.help,
    callback=kedro_run.callback,
    params=[
        *map(_with_callback, kedro_run.params),
        click.Option(
            ["--verbose", "-v"],
            is_flag=True,
            expose_value=False,
            callback=_set_verbose,
            help="Log details, such as each node with its time, and the traceback of an error.",
        ),
    ],
)
cli.add_command(run)


@cli.command()
@click.option(
    "--keep",
    default=10,
    type=click.IntRange(1),
    show_default=True,
    metavar="N",
    help="Number of latest versions to keep of each dataset.",
)
@click.option("--env", "-e", help="Kedro environment whose data folder is cleaned up.")
@click.option(
    "--yes", is_flag=True, help="Remove the versions. Without this option, only list them."
)
def remove_versions(keep: int, env: str | None, yes: bool) -> None:
    """Remove all versions of each dataset except the latest N.

    Also kept: the promoted model and the one before it, the networks that these were fine-tuned
    from, the files of the latest report, all promotion decisions, and for each kept model the
    latest matching version of each dataset.
    """
    from mnist_kedro.old_versions import (  # noqa: PLC0415  (Kedro imports this module early)
        count_freed_bytes,
        find_old_versions,
        locked,
        remove_version,
    )

    root = _data_folder(env)
    try:
        with locked(root, exclusive=True):
            old = find_old_versions(root, keep)
            freed = count_freed_bytes(old) / 1e6
            for dataset, count in Counter(one.dataset for one in old).items():
                click.echo(f"{count:6,}  {dataset}")
            if yes:
                for one in old:
                    remove_version(one)
    except InputError as error:
        raise click.ClickException(str(error)) from error
    versions = "1 version" if len(old) == 1 else f"{len(old):,} versions"
    if yes:
        click.echo(f"Removed {versions} and freed {freed:,.1f} MB.")
    else:
        hint = "; add --yes to remove" if old else ""
        click.echo(f"Would remove {versions} and free {freed:,.1f} MB{hint}.")


def _data_folder(env: str | None) -> Path:
    """Return the data folder of an environment."""
    project = project_folder()
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project / settings.CONF_SOURCE), env=env, **settings.CONFIG_LOADER_ARGS
    )
    root = str(loader["globals"]["paths"]["root"])
    if "://" in root or not (project / root).is_dir():
        raise click.ClickException(
            f"{root}: paths.root is not an existing local folder; check globals.yml or --env."
        )
    return project / root
