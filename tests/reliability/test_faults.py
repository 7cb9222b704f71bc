"""What ``docs/reliability.md`` says that a person sees is what a person sees."""

import re
import shutil

import pytest

from tests.conftest import ROOT
from tests.reliability.faults import FAULTS, PAGE, message, row
from tests.reliability.runs import Project
from tests.reliability.test_disk_full import can_mount


@pytest.fixture(scope="module")
def project(smoke_project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults") / "project"
    shutil.copytree(smoke_project, folder)
    project = Project(folder)
    yield project
    project.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_the_page_says_what_a_person_sees(project, fault):
    if fault.what in {"disk full", "read-only output folder"} and not can_mount():
        pytest.skip("mounting a file system needs root")
    before = project.files()
    assert row(fault, message(fault, project)) in PAGE.read_text()
    now = project.files()
    assert {name: now.get(name) for name in before} == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_each_proof_is_a_test(fault):
    path, _, name = fault.proof.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
