"""Twenty seconds of damaged files; ``make fuzz`` does 20,000."""

import pytest

from tests.reliability.fuzz import fuzz


@pytest.mark.slow
def test_damaged_files_are_refused_or_read_for_what_they_are():
    outcomes = fuzz(files=10_000, seed=1_000_000, seconds=20)
    assert outcomes.total() > 100
    assert outcomes["read: the same digits"] > 0
    assert outcomes["read: other digits, and said so"] > 0
    assert sum(count for told, count in outcomes.items() if told.startswith("refused")) > 50
