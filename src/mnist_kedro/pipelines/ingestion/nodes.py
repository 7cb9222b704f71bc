"""Nodes of the ``ingestion`` pipeline."""

import logging

from mnist_kedro.contracts import GIVEN, Mnist
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources import SourceStore, read_mnist

logger = logging.getLogger(__name__)


def ingest_mnist(ingestion: IngestionParameters, source_store: SourceStore) -> Mnist:
    """Read MNIST from the source that the parameters name.

    This node reads a file or downloads itself, because the catalog cannot know which file a user
    brings.

    Args:
        ingestion: the source, and the limits of reading it.
        source_store: opens the source if it is an address such as ``s3://bucket/mnist.hdf5``.

    Returns:
        Training and test images ``(n, 28, 28)`` uint8 in 0–255, labels ``(n,)`` uint8 in 0–9, and
        their provenance.

    Raises:
        InputError: if the source is missing, cannot be read, or holds something else.
    """
    mnist = read_mnist(ingestion, source_store)
    logger.info("MNIST: layout %s; converted: %s.", mnist["layout"], mnist["conversions"])
    if mnist["warnings"] != "none":
        logger.warning(
            "MNIST: %s; 'kedro run --pipelines data_quality' shows the digits.", mnist["warnings"]
        )
    if mnist["test_split"] != GIVEN:
        logger.info("MNIST: test digits %s.", mnist["test_split"])
    logger.info(
        "MNIST: %d training and %d test digits from '%s'; %s.",
        len(mnist["y_train"]),
        len(mnist["y_test"]),
        mnist["source"],
        "content verified, the canonical MNIST"
        if mnist["canonical_mnist"]
        else "not the canonical MNIST of 60,000 + 10,000",
    )
    return mnist
