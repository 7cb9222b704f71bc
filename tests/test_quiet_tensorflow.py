import os

import pytest

from mnist_kedro.quiet_tensorflow import hold_back_stderr
from tests.support.paths import ROOT
from tests.support.project import python


def test_holds_back_what_is_written_below_python(capfd):
    with hold_back_stderr():
        os.write(2, b"noise")
    os.write(2, b"signal")
    assert capfd.readouterr().err == "signal"


def test_shows_it_when_something_fails(capfd):
    with pytest.raises(ImportError), hold_back_stderr():
        os.write(2, b"libfoo.so is missing")
        raise ImportError
    assert "libfoo.so is missing" in capfd.readouterr().err


def test_garbage_collection_spares_what_the_imports_leave():
    """In a process of its own, because other tests collect garbage themselves."""
    count = "import gc, mnist_kedro.quiet_tensorflow; print(gc.get_freeze_count())"
    assert int(python(ROOT, "-c", count).stdout) > 100_000
