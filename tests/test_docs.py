"""What the documentation says can be done: its code runs, its commands exist, its links lead on."""

import re
import shlex

import click
import numpy as np
import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project
from kedro.framework.project import pipelines as project_pipelines
from PIL import Image

from mnist_kedro.cli import run
from mnist_kedro.parameters import check_parameters
from mnist_kedro.settings import CONFIG_LOADER_ARGS
from mnist_kedro.sources import read_mnist
from tests.support.corrections import keep_all
from tests.support.parameters import ingestion
from tests.support.paths import ROOT
from tests.support.project import python

PAGES = [
    *(ROOT / page for page in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "conf/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
TEXT = "\n".join(page.read_text() for page in PAGES)
COMMANDS = sorted(set(re.findall(r"`kedro (run[^`…<]*)`", TEXT)))
assert len(COMMANDS) > 8


def python_blocks(page):
    return blocks(page, "python")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_are_there(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.fixture(scope="module")
def pipelines():
    configure_project("mnist_kedro")
    return dict(project_pipelines)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_options_nodes_tags_and_datasets_that_exist(command, pipelines):
    arguments = shlex.split(command)[1:]
    with click.Context(run) as parent:
        given = run.make_context("run", arguments, parent=parent).params
    names = given["pipelines"] or ["__default__"]
    pipeline = sum((pipelines[name] for name in names[1:]), pipelines[names[0]])
    assert pipeline.filter(
        tags=given["tags"],
        from_nodes=given["from_nodes"],
        to_nodes=given["to_nodes"],
        from_inputs=given["from_inputs"],
        to_outputs=given["to_outputs"],
    ).nodes
    for dataset in given["load_versions"]:
        assert dataset in pipelines["__default__"].datasets()


SLICES = [
    command for command in COMMANDS if re.search(r" --(pipelines [a-z]|tags|from|to|only)", command)
]
SMALL = {  # what would take hours, and what a user fills in
    "8100000": "3000",
    "robustness_digits=10000": "robustness_digits=300",
    "ink_finder.pages=20000": "ink_finder.pages=32,ink_finder.epochs=1",
    "tuning.trials=20": "tuning.trials=1,training.epochs=1",
}


@pytest.mark.slow
def test_every_slice_runs_from_a_finished_project(finished, mnist):
    pictures = finished.folder / "pictures"
    pictures.mkdir()
    Image.fromarray(mnist["x_test"][0]).save(pictures / "digit.png")
    version = finished.versions("06_models/cnn.keras")[0]
    finished.make("--pipelines", "export", "--params", "promotion.enabled=true")
    corrections = finished.data / "01_raw" / "corrections"
    keep_all(corrections, mnist["x_test"][:20], mnist["y_test"][:20])
    assert len(SLICES) > 15
    # What was predicted before does not belong to a network that was taught.
    for documented in sorted(SLICES, key=lambda command: "teaching" in command):
        command = documented.replace("FOLDER", str(pictures))
        command = re.sub(r"cnn\.model:\S+", f"cnn.model:{version}", command)
        for long, short in SMALL.items():
            command = command.replace(long, short)
        outcome = finished.run(*shlex.split(command)[1:])
        assert outcome.status == 0, f"{command}\n{outcome.log}"


def test_the_make_words_are_in_the_makefile():
    words = set(re.findall(r"(?:`|^    )make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"run", "test", "lint", "viz", "notebook", "install"} <= words
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        assert re.search(rf"^{word}:.*## ", makefile, re.MULTILINE), word


def test_the_readmes_code_reads_digits_with_the_saved_network(smoke, mnist, monkeypatch):
    (block,) = python_blocks("README.md")
    monkeypatch.chdir(smoke.latest("06_models/cnn.keras").parent)
    variables = {"images": mnist["x_test"][..., np.newaxis]}
    exec(block, variables)
    predictions = variables["probabilities"].argmax(axis=1)
    assert np.mean(predictions == mnist["y_test"]) > 0.6


def test_the_data_pages_code_writes_a_file_that_is_read(tmp_path, mnist, monkeypatch):
    (block,) = python_blocks("docs/data.md")
    monkeypatch.chdir(tmp_path)
    variables = {
        "training_images": mnist["x_train"],
        "training_labels": mnist["y_train"],
        "test_images": mnist["x_test"],
        "test_labels": mnist["y_test"],
    }
    exec(block, variables)
    arrays = read_mnist(ingestion(tmp_path / "mnist.hdf5"))
    np.testing.assert_array_equal(arrays["x_test"], mnist["x_test"])


def test_the_deployment_pages_code_reads_a_picture(tmp_path, trained, mnist):
    from mnist_kedro.models.onnx_export import to_onnx

    (block,) = python_blocks("docs/deployment.md")
    picture = tmp_path / "digit.png"
    Image.fromarray(mnist["x_train"][0]).save(picture)
    variables = {"model_file": to_onnx(trained).SerializeToString(), "picture_file": picture}
    exec(block, variables)
    assert variables["probabilities"].argmax() == mnist["y_train"][0]


def test_the_deployment_page_names_files_that_the_catalog_has():
    catalog = (ROOT / "conf" / "base" / "catalog_export.yml").read_text()
    page = (ROOT / "docs" / "deployment.md").read_text()
    for name in re.findall(r"\{network\}(?:_\w+)?\.(?:onnx|tflite|json)\b", catalog):
        assert name.replace("{network}", "cnn") in page


@pytest.mark.slow
def test_the_network_and_the_figure_of_contributing_work(project):
    network, plot, declaration = python_blocks("CONTRIBUTING.md")
    (parameters,) = blocks("CONTRIBUTING.md", "yaml")
    for module in (network, plot):
        path = re.match("# (src/.*)", module)[1]
        (project.folder / path).write_text(module)
    with (project.folder / "conf/base/parameters_training.yml").open("a") as file:
        file.write(parameters)
    pipeline = project.folder / "src/mnist_kedro/pipelines/evaluation/pipeline.py"
    code = pipeline.read_text()
    added = code.replace('"Confidence": [', f'"Confidence": [{declaration.strip()},')
    assert added != code
    pipeline.write_text(f"from mnist_kedro.plots.certainty import plot_certainty\n{added}")
    options = ("--env", "smoke", "--params", "training.models=[mlp]")
    finished = python(project.folder, "-m", "kedro", "run", *options)
    assert finished.returncode == 0, finished.stderr
    assert list(project.metrics()["models"]) == ["mlp"]
    assert project.versions("08_reporting/certainty.png")


def test_the_examples_of_local_configuration_are_loaded(project):
    names = ("parameters", "globals", "credentials")
    for name, example in zip(names, blocks("conf/README.md", "yaml"), strict=True):
        (project.folder / "conf" / "local" / f"{name}.yml").write_text(example)
    loader = OmegaConfigLoader(str(project.folder / "conf"), **CONFIG_LOADER_ARGS)
    assert check_parameters(loader["parameters"]).training.models == ("cnn", "lenet5")
    assert loader["catalog"]["mnist"]["filepath"].startswith("/mnt/disk/mnist/")
    assert "endpoint_url" in loader["credentials"]["s3"]["client_kwargs"]
