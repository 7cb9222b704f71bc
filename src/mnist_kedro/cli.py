"""``kedro run`` with errors of one line for what a person can put right."""

import copy
import re
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NoReturn

import click
import kedro
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import split_node_names
from kedro.io import DatasetError
from omegaconf import OmegaConf

from mnist_kedro import pipelines
from mnist_kedro.errors import InputError

_KEDRO = str(Path(kedro.__file__).parent)
_PIPELINE_MODULE = re.compile(rf"'{pipelines.__name__}\.(\w+)'")


class Run(click.Command):
    """Kedro's ``run``, which shows a traceback only for a fault of the program, or if asked to."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, or end with one line and exit status 1, or 128 + n after signal n."""
        signal.signal(signal.SIGTERM, _terminate)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            told = ["Interrupted.", *getattr(interrupt, "__notes__", [])]
            click.echo(f"\n{' '.join(told)}", err=True)
            ctx.exit(128 + (signal.SIGTERM if interrupt.args else signal.SIGINT))
        except Exception as error:
            message = one_line(error)
            if message is None or ctx.meta.get("verbose"):
                raise
            raise click.ClickException(message) from error


def one_line(error: BaseException) -> str | None:
    """What to tell a person of an error that is theirs to put right; None for any other.

    Those are :class:`InputError`, also inside another exception, and what Kedro itself refuses: an
    unknown pipeline, node or dataset, a file that it cannot load or save.
    """
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, InputError):
            return str(cause)
    if isinstance(error, ImportError) and (unknown := _PIPELINE_MODULE.search(str(error))):
        known = sorted(module.name for module in iter_modules(pipelines.__path__))
        if unknown[1] not in known:
            return f"There is no pipeline '{unknown[1]}'; there are {', '.join(known)}."
    if isinstance(error, DatasetError):
        for cause in chain:
            if isinstance(cause, OSError) and cause.filename:
                return f"{cause.filename}: {cause.strerror}."
    frames = traceback.extract_tb(error.__traceback__)
    from_kedro = type(error).__module__.startswith("kedro.") or (
        isinstance(error, ValueError | KeyError)
        and bool(frames)
        and frames[-1].filename.startswith(_KEDRO)
    )
    return " ".join(str(error).split()) if from_kedro else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _terminate(_number: int, _frame: object) -> NoReturn:
    """End as after Ctrl-C: what is being trained is told how to go on."""
    raise KeyboardInterrupt("terminated")


def _be_verbose(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    ctx.meta["verbose"] = value


def _with_lists(option: click.Parameter) -> click.Parameter:
    """Kedro's option, but for ``--params``, where Kedro separates also within a list."""
    if option.name != "params":
        return option
    option = copy.copy(option)
    option.callback = _split_params
    return option


def _split_params(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """``a.b=1,c=[x,y]`` as nested mappings."""
    if isinstance(value, dict):  # of a file given with --config
        return value
    items = split_node_names(ctx, option, value)  # at commas outside brackets
    for item in items:
        if not item.partition("=")[0].strip() or "=" not in item:
            raise click.BadParameter(f"'{item}' should be <parameter>=<value>.", ctx, option)
    return OmegaConf.to_container(OmegaConf.from_dotlist(items))


@click.group(name="mnist_kedro")
def cli() -> None:
    """Commands of this project."""


run = Run(
    name="run",
    help=kedro_run.help,
    callback=kedro_run.callback,
    params=[
        *map(_with_lists, kedro_run.params),
        click.Option(
            ["--verbose", "-v"],
            is_flag=True,
            expose_value=False,
            callback=_be_verbose,
            help="Show the traceback of an error.",
        ),
    ],
)
cli.add_command(run)
