"""Half a minute of damaged files; ``make fuzz`` does 20,000."""

from tests.reliability.fuzz import fuzz


def test_damaged_files_are_refused_or_read_for_what_they_are():
    outcomes = fuzz(files=10_000, seed=1_000_000, seconds=30)
    assert outcomes.total() > 100
    assert outcomes["read: the same digits"] > 0
    assert outcomes["read: other digits, and said so"] > 0
    assert sum(count for told, count in outcomes.items() if told.startswith("refused")) > 50
