import random
import threading

import numpy as np

from tests.support.networks import build


def test_weights_follow_from_the_seed_whatever_other_threads_draw():
    import keras

    from mnist_kedro.models.seeding import seeded

    keras.utils.set_random_seed(3)
    expected = build("cnn").get_weights()  # as Keras has them, undisturbed
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    for _ in range(3):
        with seeded(3):
            found = build("cnn").get_weights()
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    stop.set()
    thread.join()
