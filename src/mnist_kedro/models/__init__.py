"""What is trained: the networks, how digits are varied, and the training itself.

Importing anything from here imports TensorFlow, which takes seconds: import it where it is used.
"""

import os

from mnist_kedro.models.quiet import hold_back_stderr

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's warnings and errors only

with hold_back_stderr():
    import tensorflow as tf

    # Looking for a GPU prints an error where there is none; later on it is known.
    tf.config.list_physical_devices()
