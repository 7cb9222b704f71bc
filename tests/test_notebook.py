"""The notebook runs from top to bottom."""

import shutil

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import PATIENCE, ROOT
from tests.support.project import environment

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
def test_runs_and_shows_what_the_pipelines_draw(notebook, project, monkeypatch):
    folder = project.folder / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOK, folder)
    for name, value in {**environment(project.folder), "KEDRO_ENV": "smoke"}.items():
        monkeypatch.setenv(name, value)
    run = nbformat.from_dict(notebook.copy())
    client = NotebookClient(run, timeout=PATIENCE, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [output for cell in run.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 7
    written = "".join(output.get("text", "") for output in outputs)
    assert "accuracy" in written
    assert "LazyArray" in written
    assert project.versions("05_model_input/train.hdf5")
