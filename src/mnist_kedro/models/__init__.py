"""Build, train, explain, attack and export networks, and augment digits.

Importing this package imports TensorFlow, which takes seconds: nodes import it when they run.
"""

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before any other import of TensorFlow)
