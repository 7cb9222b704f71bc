"""Where MNIST comes from: a person's file or folder, a download, or the embedded sample."""

from mnist_kedro.sources.read import read_mnist

__all__ = ["read_mnist"]
