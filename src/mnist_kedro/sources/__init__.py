"""Read MNIST from the user's file or folder, a download, or the embedded sample."""

from mnist_kedro.remote_store import SourceStore
from mnist_kedro.sources.description import describe_mnist
from mnist_kedro.sources.read import read_mnist

__all__ = ["SourceStore", "describe_mnist", "read_mnist"]
