"""What ``docs/reliability.md`` says that a person sees is what a person sees."""

import re

import pytest

from tests.conftest import ROOT
from tests.reliability.disk_full import can_mount
from tests.reliability.faults import FAULTS, PAGE, message, row


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_the_page_says_what_a_person_sees(running_project, fault):
    if fault.what in {"disk full", "read-only output folder"} and not can_mount():
        pytest.skip("mounting a file system needs root")
    before = running_project.files()
    assert row(fault, message(fault, running_project)) in PAGE.read_text()
    now = running_project.files()
    assert {name: now.get(name) for name in before} == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_each_proof_is_a_test(fault):
    path, _, name = fault.proof.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
