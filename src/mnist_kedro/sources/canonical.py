"""Recognize the canonical MNIST by its content, independently of the file format."""

from collections.abc import Mapping

from mnist_kedro.arrays import ArrayLike

Arrays = dict[str, ArrayLike]

# SHA-256 of the arrays' bytes: uint8, C order, images (n, 28, 28), labels (n,). Computed from the
# four IDX files that Y. LeCun, C. Cortes and C. Burges published.
DIGESTS = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


def is_canonical(digests: Mapping[str, str]) -> bool:
    """Return whether the digests are those of MNIST with 60,000 + 10,000 digits."""
    return dict(digests) == DIGESTS
