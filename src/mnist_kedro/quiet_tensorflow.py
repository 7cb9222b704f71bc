"""Import this to import TensorFlow without the lines that its C++ parts print at any log level."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_back_stderr() -> Iterator[None]:
    """Hold back what is written to standard error, below Python too; show it after an exception."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        original = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            if failed:
                held.seek(0)
                os.write(2, held.read())


os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's warnings and errors only

with hold_back_stderr():
    import keras  # noqa: F401
    import tensorflow as tf

    # Looking for a GPU prints an error where there is none; later on it is known.
    tf.config.list_physical_devices()
