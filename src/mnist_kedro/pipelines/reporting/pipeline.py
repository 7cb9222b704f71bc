"""The ``reporting`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Pipeline

from mnist_kedro.pipelines import member_names
from mnist_kedro.pipelines.reporting.parts.evaluation import (
    average_networks,
    compare_all,
    evaluate_network,
)
from mnist_kedro.pipelines.reporting.parts.figures import draw_figures
from mnist_kedro.pipelines.reporting.parts.report import write_report
from mnist_kedro.pipelines.reporting.parts.robustness import measure_robustness
from mnist_kedro.pipelines.reporting.parts.understanding import look_into


def create_pipeline(models: Sequence[str], members: int = 1, corruption_parts: int = 1) -> Pipeline:
    """Models and test digits in, metrics and figures out: the only reader of the test split.

    Args:
        models: by name; the figures of single predictions are of the first.
        members: networks of each; those of more than one are also averaged.
        corruption_parts: nodes that share the corruption suite.
    """
    first = models[0]
    networks = {model: member_names(model, members) for model in models}
    every = [name for names in networks.values() for name in names]
    ensembles = {f"{model}_ensemble": names for model, names in networks.items() if members > 1}
    compared = [*models, *ensembles]
    return sum(
        (
            *(evaluate_network(name) for name in every),
            *(average_networks(ensemble, names) for ensemble, names in ensembles.items()),
            compare_all(compared, evaluated=[*every, *ensembles]),
            draw_figures(models, compared),
            measure_robustness(models, corruption_parts),
            look_into(first),
            write_report(first),
        ),
        Pipeline([]),
    )
