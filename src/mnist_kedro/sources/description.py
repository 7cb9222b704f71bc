"""Describe MNIST in a sentence."""

from mnist_kedro.contracts import GIVEN, Mnist


def describe_mnist(mnist: Mnist) -> str:
    """Describe the digits, their source, the recognized layout and the conversions."""
    recognized = mnist["layout"]
    if mnist["conversions"] != "none":
        recognized += f"; converted: {mnist['conversions']}"
    if mnist["canonical_mnist"]:
        identity = "verified as the canonical MNIST"
    elif mnist["test_split"] == GIVEN:
        identity = "not the canonical MNIST"
    else:
        identity = f"test digits {mnist['test_split']}"
    return (
        f"{len(mnist['y_train']):,} training and {len(mnist['y_test']):,} test digits "
        f"from '{mnist['source']}' ({recognized}); {identity}"
    )
