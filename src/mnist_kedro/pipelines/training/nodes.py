"""Nodes of the ``training`` pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.pipeline.preview_contract import MermaidPreview

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.datasets import Checkpoints
from mnist_kedro.lineage import (
    RECORD,
    join_lineages,
    lineage_of,
    record_training,
    with_lineage,
)
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

# Parameters that do not influence the trained model.
_WITHOUT_EFFECT = {"models", "members", "resume", "tensorboard"}


def preview_network(network: NetworkParameters) -> MermaidPreview:
    """Draw a network as a flowchart for Kedro-Viz."""
    from mnist_kedro.models.drawing import draw_network  # noqa: PLC0415  (imports TensorFlow)

    return MermaidPreview(draw_network(network))


@with_lineage
def train_model(
    train: LabeledImages,
    validation: LabeledImages,
    pixel_statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    checkpoints: Checkpoints,
    tensorboard_logs: Path,
    run: Mapping[str, Any],
    name: str,
    member: int = 0,
) -> tuple[Any, Mapping[str, Any]]:
    """Build a network, train it, and calibrate its probabilities.

    Args:
        train: digits to train on.
        validation: digits for the evaluation after each epoch and for the calibration of the
            probabilities; they select neither weights nor epochs.
        pixel_statistics: statistics of the training pixels, for the network's first layer.
        training: number of epochs, learning rate, augmentation and so on.
        network: architecture of the network.
        checkpoints: saves the state after each epoch, and loads it when a training resumes.
        tensorboard_logs: a folder for logs, used if ``training.tensorboard`` is true.
        run: the description of the run, for the training record.
        name: name of the model.
        member: number of the network in an ensemble, from 0; it is added to the seed.

    Returns:
        The model and its :class:`~mnist_kedro.models.fitting.TrainingHistory`, with the calibrated
        ``temperature``. The model has float32 Keras layers, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)``
        probabilities, and a :class:`~mnist_kedro.lineage.TrainingRecord`.

    Raises:
        InputError: if the lineages of the digits and the statistics do not match, and in the cases
            of :func:`~mnist_kedro.models.fitting.fit_network`.
    """
    from mnist_kedro.models.fitting import fit_network  # noqa: PLC0415
    from mnist_kedro.models.temperature import calibrate  # noqa: PLC0415
    from mnist_kedro.models.tensorboard import log_to_tensorboard  # noqa: PLC0415  (TensorFlow)

    options = training.model_copy(update={"seed": training.seed + member})
    callbacks = [log_to_tensorboard(tensorboard_logs / name)] if training.tensorboard else []
    model, history = fit_network(
        train, validation, pixel_statistics, options, network, checkpoints, name, callbacks
    )
    model, temperature = calibrate(model, validation)
    record = record_training(
        model,
        name,
        history,
        join_lineages({"train": lineage_of(train), "validation": lineage_of(validation)}),
        {
            "training": options.model_dump(mode="json", exclude=_WITHOUT_EFFECT),
            "network": network.model_dump(mode="json"),
        },
        run,
    )
    model.training_record = record
    return model, {
        **history,
        "temperature": temperature,
        "lineage": record["lineage"],
        RECORD: record,
    }
