import pytest

from mnist_kedro.logs import load_logging_configuration


@pytest.mark.parametrize("from_folder", [".", "notebooks/deep"])
def test_the_project_can_change_the_logging_wherever_one_is_in_it(
    tmp_path, monkeypatch, from_folder
):
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "logging.yml").write_text("loggers: {kedro.io: {level: INFO}}")
    folder = tmp_path / from_folder
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    loggers = load_logging_configuration()["loggers"]
    assert loggers["kedro.io"] == {"level": "INFO"}
    assert loggers["mnist_kedro"] == {"level": "INFO"}


def test_without_a_project_the_package_has_all_it_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_logging_configuration()["root"]["handlers"] == ["console"]
