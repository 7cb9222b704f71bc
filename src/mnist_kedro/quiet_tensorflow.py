"""Import TensorFlow without the messages that its C++ code prints at every log level."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_back_stderr() -> Iterator[None]:
    """Capture standard error, including that of C++ code; write it only after an exception."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as captured:
        original = os.dup(2)
        os.dup2(captured.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            if failed:
                captured.seek(0)
                os.write(2, captured.read())


os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow logs only errors

with hold_back_stderr():
    import keras  # noqa: F401
    import tensorflow as tf

    # TensorFlow's first search for a GPU prints an error if the machine has no GPU.
    tf.config.list_physical_devices()

# The imports create 400,000 objects. Without `freeze`, each full garbage collection would visit
# them and take 0.19 s instead of 0.02 s, several times in each run.
gc.freeze()
