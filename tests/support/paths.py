"""Where the project is, and how long tests wait."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FULL_MNIST = ROOT.parent / "shared" / "data" / "mnist"
PATIENCE = 900  # seconds; what takes two minutes on a slow machine hangs if it takes longer

needs_full_mnist = pytest.mark.skipif(
    not FULL_MNIST.is_dir(), reason="the full MNIST's IDX files are not beside the project"
)
