"""Under which names a file holds MNIST: the one place to teach more of them."""

from collections.abc import Iterable
from pathlib import Path

from mnist_kedro.errors import InputError

KEYS = ("x_train", "y_train", "x_test", "y_test")


def check_keys(present: Iterable[str], path: Path) -> None:
    """Refuse a file that lacks one of the keys.

    Raises:
        InputError: naming the missing key, those expected, and those there are.
    """
    found = sorted(present)
    for key in KEYS:
        if key not in found:
            raise InputError(
                f"{path}: key '{key}' is missing; expected {', '.join(KEYS)}, found "
                f"{', '.join(found) or 'none'} (docs/data.md shows how to write such a file)."
            )
