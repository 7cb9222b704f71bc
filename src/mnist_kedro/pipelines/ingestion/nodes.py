"""Nodes of the ``ingestion`` pipeline."""

import logging

from mnist_kedro.contracts import Mnist
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources import SourceStore, describe_mnist, read_mnist

logger = logging.getLogger(__name__)


def ingest_mnist(ingestion: IngestionParameters, source_store: SourceStore) -> Mnist:
    """Read MNIST from the source in the parameters.

    This node reads or downloads the file itself, because the catalog does not know which file and
    format a user has.

    Args:
        ingestion: the source, and the limits for reading it.
        source_store: opens the source if it is a URL such as ``s3://bucket/mnist.hdf5``.

    Returns:
        Training and test images ``(n, 28, 28)`` uint8 in 0–255, labels ``(n,)`` uint8 in 0–9, and
        their provenance.

    Raises:
        InputError: if the source is missing, cannot be read, or does not contain digits.
    """
    mnist = read_mnist(ingestion, source_store)
    if mnist["warnings"] != "none":
        logger.warning(
            "MNIST: %s; 'kedro run --pipelines data_quality' shows the digits.", mnist["warnings"]
        )
    logger.info("MNIST: %s.", describe_mnist(mnist))
    return mnist
