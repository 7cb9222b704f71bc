from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Barrier

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from mnist_kedro.parameters import check_parameters
from mnist_kedro.pipeline_registry import register_pipelines, use_parameters
from tests.support.parameters import configured
from tests.support.paths import ROOT
from tests.support.project import python


def parameters(*models: str):
    changed = deepcopy(configured("smoke"))
    changed["training"]["models"] = list(models)
    return check_parameters(changed)


def trained(registered) -> set[str]:
    return {name for name in registered["training"].all_outputs() if name.endswith(".model")}


@pytest.fixture
def in_new_thread():
    """Call a function in a thread that has not had a run."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda function: pool.submit(function).result()


def test_without_a_run_the_pipelines_follow_the_configuration(in_new_thread, monkeypatch):
    monkeypatch.chdir(ROOT)
    bootstrap_project(ROOT)
    assert in_new_thread(lambda: trained(pipelines)) == {"cnn.model", "dense.model"}
    monkeypatch.setenv("KEDRO_ENV", "accurate")
    with ThreadPoolExecutor(1) as pool:
        names = pool.submit(trained, register_pipelines()).result()
    assert names == {"resnet.model", *(f"resnet_{number}.model" for number in range(2, 6))}


def test_a_default_run_is_ingestion_data_processing_training_and_reporting(in_new_thread):
    def default_is_the_sum_of_the_four() -> bool:
        use_parameters(parameters("cnn"))
        registered = register_pipelines()
        four = ("ingestion", "data_processing", "training", "reporting")
        nodes = {node for name in four for node in registered[name].nodes}
        return {*registered["__default__"].nodes} == nodes

    assert in_new_thread(default_is_the_sum_of_the_four)


def test_each_thread_has_the_pipelines_of_its_own_run():
    registered, both_started = register_pipelines(), Barrier(2)

    def run(model: str) -> set[str]:
        use_parameters(parameters(model))
        both_started.wait(timeout=60)
        return trained(registered)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, ("lenet5", "resnet"))) == [{"lenet5.model"}, {"resnet.model"}]


def test_a_slice_imports_only_its_pipelines(project):
    code = """if True:
        import sys
        from kedro.framework.project import configure_project, pipelines
        configure_project("mnist_kedro")
        assert len(pipelines["data_processing"].nodes) == 3
        slow = {"matplotlib", "scipy", "seaborn", "tensorflow", "keras", "optuna"}
        assert not slow & sys.modules.keys(), slow & sys.modules.keys()
    """
    done = python(project.folder, "-c", code)
    assert done.returncode == 0, done.stderr
