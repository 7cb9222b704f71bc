"""Search for better training parameters with Optuna."""

import hashlib
import json
import logging
from typing import Any

import keras
import optuna
import pandas as pd
from omegaconf import OmegaConf

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.errors import InputError
from mnist_kedro.models.checkpointing import describe_training
from mnist_kedro.models.fitting import fit_network
from mnist_kedro.models.precision import dtype_policy
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import (
    SearchedValues,
    TrainingParameters,
    TuningParameters,
)

logger = logging.getLogger(__name__)

_FINISHED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
# The first trials are never pruned, because pruning needs the median of several complete trials.
_STARTUP_TRIALS = 5


def search(
    train: LabeledImages,
    validation: LabeledImages,
    statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    tuning: TuningParameters,
    storage: optuna.storages.BaseStorage,
) -> pd.DataFrame:
    """Search for the training parameters with the highest validation accuracy.

    The tree-structured Parzen estimator samples the values (Bergstra et al. 2011, "Algorithms for
    hyper-parameter optimization"). A trial is pruned after an epoch if its accuracy is below the
    median of the earlier trials (Golovin et al. 2017, doi:10.1145/3097983.3098043). The search
    continues a study in the storage that has the same digits, parameters, network and search
    space; several processes with the same storage share its trials.

    Args:
        train: digits to train on.
        validation: digits on which the trials are compared.
        statistics: statistics of the training pixels.
        training: the training parameters; the search replaces some of them.
        network: architecture of the network.
        tuning: the search space, and the number of trials.
        storage: storage of the trials.

    Returns:
        A row for each finished trial: ``trial`` (from 1), ``state`` (complete or pruned),
        ``validation_accuracy`` (0–1, after the trial's last epoch), ``epochs``, ``seconds``, and a
        column for each searched parameter.

    Raises:
        InputError: if no trial completed.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    description = describe_training(
        train, validation, statistics, training, network, dtype_policy(training.mixed_bfloat16)
    )
    study = optuna.create_study(
        storage=storage,
        study_name=_study_name(description, tuning),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS),
        load_if_exists=True,
    )
    finished = len(study.get_trials(states=_FINISHED))
    if finished:
        logger.info("%d of %d trials are already finished.", finished, tuning.trials)

    def objective(trial: optuna.Trial) -> float:
        # Seed by the trial number: a resumed search or another process samples other values.
        study.sampler = optuna.samplers.TPESampler(seed=tuning.seed + trial.number)
        options = _replace_values(training, _suggest_values(trial, tuning.search.spaces))
        name = f"trial {trial.number + 1}"
        try:
            _, history = fit_network(
                *(train, validation, statistics, options, network, None, name),
                callbacks=[_Pruning(trial)],
            )
        except InputError as error:  # the loss became NaN or infinite
            logger.warning("%s", error)
            raise optuna.TrialPruned from error
        return history["validation_accuracy"][-1]

    if finished < tuning.trials:
        limit = optuna.study.MaxTrialsCallback(tuning.trials, states=_FINISHED)
        try:
            study.optimize(objective, callbacks=[_log_trial, limit])
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("Finished trials are saved; to continue, run the same command.")
            raise
    if not study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)):
        raise InputError(
            "No trial completed, so there are no best parameters: allow smaller learning rates in "
            "tuning.search, or increase tuning.trials."
        )
    return _tabulate_trials(study, tuning)


def _suggest_values(
    trial: optuna.Trial, spaces: dict[str, SearchedValues]
) -> dict[str, float | int]:
    """Sample a value for each searched parameter; an integer if both bounds are integers."""
    values: dict[str, float | int] = {}
    for name, space in spaces.items():
        if space.choices:
            values[name] = trial.suggest_categorical(name, space.choices)
        elif isinstance(space.low, int) and isinstance(space.high, int):
            values[name] = trial.suggest_int(name, space.low, space.high, log=space.log)
        else:
            low, high = space.choices_or_bounds
            values[name] = trial.suggest_float(name, low, high, log=space.log)
    return values


def _replace_values(
    training: TrainingParameters, values: dict[str, float | int]
) -> TrainingParameters:
    """Replace parameters with values; the names are those of ``TrainingSearch.spaces``."""
    options = OmegaConf.create(training.model_dump() | {"resume": False})
    for name, value in values.items():
        OmegaConf.update(options, name, value)
    return TrainingParameters.model_validate(OmegaConf.to_container(options))


class _Pruning(keras.callbacks.Callback):
    """Report the accuracy of a trial to its study, and stop the trial if the study prunes it."""

    def __init__(self, trial: optuna.Trial) -> None:
        super().__init__()
        self._trial = trial

    def on_epoch_end(self, epoch, logs=None):
        """Report the validation accuracy, and stop the trial if it is pruned."""
        self._trial.report(logs["val_accuracy"], epoch + 1)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _study_name(description: dict[str, Any], tuning: TuningParameters) -> str:
    """Return a name that depends on digits, parameters and search space, not on ``trials``."""
    search = tuning.search.model_dump()
    text = json.dumps([description, search, tuning.seed], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _log_trial(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    values = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
    if trial.state != optuna.trial.TrialState.COMPLETE:
        logger.info("trial %d: pruned; %s.", trial.number + 1, values)
        return
    logger.info(
        "trial %d: validation accuracy %.2f%% (best so far: trial %d, %.2f%%); %s.",
        trial.number + 1,
        100 * (trial.value or 0),
        study.best_trial.number + 1,
        100 * study.best_value,
        values,
    )


def _tabulate_trials(study: optuna.Study, tuning: TuningParameters) -> pd.DataFrame:
    names = list(tuning.search.spaces)
    rows = [
        {
            "trial": trial.number + 1,
            "state": trial.state.name.lower(),
            "validation_accuracy": trial.intermediate_values.get(trial.last_step or 0),
            "epochs": trial.last_step or 0,
            "seconds": trial.duration.total_seconds() if trial.duration else None,
            **{name: trial.params.get(name) for name in names},
        }
        for trial in study.get_trials(states=_FINISHED)
    ]
    columns = ["trial", "state", "validation_accuracy", "epochs", "seconds", *names]
    return pd.DataFrame(rows, columns=columns)
