"""Another Kedro project on Dask, with the hooks of Kedro-Viz: the runner knows no project."""

import pytest

from tests.support.cluster import cluster
from tests.support.paths import ROOT
from tests.support.project import python
from tests.support.spaceflights import read_metrics, write_spaceflights

DASK = ("--runner", "mnist_kedro.runners.DaskRunner")


@pytest.fixture
def project(tmp_path):
    return write_spaceflights(tmp_path / "spaceflights")


def kedro(project, *arguments):
    """Run the project, whose workers know only the packages that are installed."""
    return python(
        project, "-m", "kedro", "run", *arguments, PYTHONPATH=f"{ROOT / 'src'}:{project / 'src'}"
    )


@pytest.fixture
def expected(project):
    """What Kedro's own runner computes."""
    outcome = kedro(project)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    metrics = read_metrics(project)
    assert len(metrics) == 2
    for path in project.glob("data/*.json"):
        path.unlink()
    return metrics


@pytest.mark.slow
def test_another_project_runs_on_its_own_cluster(project, expected):
    outcome = kedro(project, *DASK, "--runner-params", "workers=2")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert read_metrics(project) == expected
    assert "Completed 9 out of 9 tasks" in outcome.stdout + outcome.stderr


@pytest.mark.slow
def test_workers_elsewhere_run_the_project_s_present_code_or_say_that_they_do_not(
    project, expected, tmp_path
):
    with cluster(ROOT, 0) as made:
        made.add_worker(folder=tmp_path)
        made.wait_for_workers()
        on_workers = (*DASK, "--runner-params", f"address={made.address}")
        outcome = kedro(project, *on_workers)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert read_metrics(project) == expected
        assert "mean error" in outcome.stdout + outcome.stderr  # told by a worker

        nodes = project / "src" / "spaceflights" / "nodes.py"
        nodes.write_text(nodes.read_text().replace("error.abs().mean())}", "-1.0)}"))
        outcome = kedro(project, *on_workers)
        assert outcome.returncode == 1
        said = " ".join(outcome.stderr.split())
        assert "the code of 'spaceflights' on this worker differs from that of the run" in said
        assert read_metrics(project) == expected

        made.workers[0].kill()
        made.add_worker(folder=tmp_path)
        outcome = kedro(project, *on_workers)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert {*read_metrics(project).values()} == {-1.0}
