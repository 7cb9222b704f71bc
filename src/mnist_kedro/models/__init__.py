"""What is trained: the networks, how digits are varied, and the training itself.

Importing anything from here imports TensorFlow, which takes seconds: import it where it is used.
"""

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)
