"""The notebook runs from top to bottom."""

import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import PATIENCE, ROOT
from tests.support.project import Project, environment

NOTEBOOK = ROOT / "notebooks" / "mnist_classification.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_has_no_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.slow
def test_trains_and_teaches_on_the_sample(notebook, tmp_path, monkeypatch):
    project = Project.clone(tmp_path / "project")
    folder = project.folder / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOK, folder)
    settings = project.folder / "conf" / "notebook" / "parameters.yml"
    settings.write_text(settings.read_text().replace("ingestion:", "ingestion:\n  source: sample"))
    before = files(project.folder)
    for name, value in environment(project.folder).items():
        monkeypatch.setenv(name, value)
    run = nbformat.from_dict(notebook.copy())
    client = NotebookClient(run, timeout=PATIENCE, resources={"metadata": {"path": str(folder)}})
    client.execute()

    outputs = [output for cell in run.cells for output in cell.get("outputs", [])]
    logged = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert len(logged) == 1
    assert "WARNING  Not comparable with published results on MNIST" in logged[0]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 12
    written = "".join(output.get("text", "") for output in outputs)
    assert re.search(r"cnn: accuracy 9\d\.\d+%", written)
    assert written.count("Promoted: True") == 2
    correct = re.search(r"Correct: (\d+)% before teaching, (\d+)% after", written)
    assert int(correct[1]) < int(correct[2])
    written_files = files(project.folder) - before
    tools = {".viz", "sessions"}  # of Kedro; git ignores them
    changed = {path.parts[:2] for path in written_files if path.parts[0] not in tools}
    assert changed == {("data", "notebook")}


def files(folder):
    paths = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in paths if "__pycache__" not in path.parts}
