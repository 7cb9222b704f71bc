"""Train, evaluate and export Keras networks on MNIST in a Kedro project."""

__version__ = "0.1.0"
