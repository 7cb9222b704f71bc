"""The messages in ``docs/reliability.md`` are those of the project."""

import pytest

from tests.reliability.disk_full import can_mount
from tests.reliability.faults import FAULTS, PAGE, find_test, message, row


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_the_page_has_the_message(running, fault):
    if fault.what in {"disk full", "read-only output folder"} and not can_mount():
        pytest.skip("mounting a file system needs root")
    before = running.files()
    assert row(fault, message(fault, running)) in PAGE.read_text()
    now = running.files()
    assert {name: now.get(name) for name in before} == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_each_proof_is_a_test(fault):
    assert find_test(fault.proof).exists()
