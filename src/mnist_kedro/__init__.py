"""MNIST from ``mnist.hdf5`` to a trained, evaluated and plotted Keras CNN, as a Kedro project."""

__version__ = "0.1.0"
