"""Run ``kedro run`` as ``python -m mnist_kedro``, which also works with an installed wheel."""

import logging
import sys
from pathlib import Path
from typing import Any

logging.disable(logging.INFO)  # hides a message that Kedro logs on import
from kedro.framework.cli.utils import find_run_command  # noqa: E402
from kedro.framework.project import configure_project  # noqa: E402

logging.disable(logging.NOTSET)


def main(*args: Any, **kwargs: Any) -> Any:
    """Run the project with the options of ``kedro run``."""
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    kwargs["standalone_mode"] = not hasattr(sys, "ps1")  # interactive: return the result
    return find_run_command(package_name)(*args, **kwargs)


if __name__ == "__main__":
    main()
