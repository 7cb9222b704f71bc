"""Search for training parameters."""

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import optuna
import pandas as pd
from omegaconf import OmegaConf

from mnist_kedro.contracts import LabelledImages, PixelStatistics
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

_DONE = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
# Trials that are trained to their end before any is compared with the median of the others.
_NEVER_PRUNED = 5


@dataclass(frozen=True)
class _Share:
    """What one of several searches has: of two, the first has the trials 1, 3, 5 and so on."""

    number: int
    searches: int

    @property
    def name(self) -> str:
        return "tuning" if self.searches == 1 else f"search {self.number}"

    def trials(self, of_all: int) -> int:
        """How many trials it has."""
        return len(range(self.number, of_all + 1, self.searches))

    def seed(self, first: int, earlier: int = 0) -> int:
        """No two searches ever draw by the same, also when they go on after earlier trials."""
        return first + self.number - 1 + earlier * self.searches

    def trial(self, optunas: int) -> int:
        """A trial's number, which no other search has; Optuna counts each study's from 0."""
        return self.number + optunas * self.searches

    def describe(self, optunas: int) -> str:
        """A trial, for the log."""
        trial = f"trial {self.trial(optunas)}"
        return trial if self.searches == 1 else f"{self.name}, {trial}"


def search(
    train: LabelledImages,
    validation: LabelledImages,
    statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    tuning: TuningParameters,
    storage: optuna.storages.BaseStorage,
    number: int = 1,
    searches: int = 1,
) -> pd.DataFrame:
    """Maximise the validation accuracy after the last epoch.

    Values are drawn by the tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for
    hyper-parameter optimization"); a trial that is behind the median of the earlier ones after an
    epoch is pruned (Golovin et al. 2017, doi:10.1145/3097983.3098043). The study goes on with the
    trials that the storage has of the same digits, recipe, network and search.

    Several searches may share the trials. They learn nothing of each other.

    Args:
        train: digits to learn from.
        validation: digits that the trials are compared by.
        statistics: of the training pixels.
        training: the recipe, for all that is not searched.
        network: what is trained.
        tuning: what is searched, and how often.
        storage: of the trials.
        number: which one of several searches, from 1; it is added to the seed.
        searches: how many they are.

    Returns:
        A row for each trial that is done: ``trial`` (from 1; several searches have no number
        twice), ``state`` (complete or pruned), ``validation_accuracy`` (0–1, after the last epoch
        that it had), ``epochs``, ``seconds``, and a column for each searched parameter.

    Raises:
        InputError: when no trial came to its end.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    described = describe_training(
        train, validation, statistics, training, network, dtype_policy(training.mixed_bfloat16)
    )
    share = _Share(number, searches)
    study = optuna.create_study(
        storage=storage,
        study_name=_study_name(described, tuning, share.seed(tuning.seed)),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_NEVER_PRUNED),
        load_if_exists=True,
    )
    seed = share.seed(tuning.seed, earlier=len(study.trials))
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    done, wanted = len(study.get_trials(states=_DONE)), share.trials(tuning.trials)
    if done:
        logger.info("%s: %d of %d trials are done already.", share.name, done, wanted)

    def objective(trial: optuna.Trial) -> float:
        options = with_values(training, suggest(trial, tuning.search.spaces))
        name = share.describe(trial.number)
        try:
            _, history = fit_network(
                *(train, validation, statistics, options, network, None, name),
                callbacks=[_Pruning(trial)],
            )
        except InputError as error:  # its loss is no number
            logger.warning("%s", error)
            raise optuna.TrialPruned from error
        return history["validation_accuracy"][-1]

    if done < wanted:
        enough = optuna.study.MaxTrialsCallback(wanted, states=_DONE)
        try:
            study.optimize(objective, callbacks=[partial(_tell, share), enough])
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("The same command goes on with the trials that are done.")
            raise
    if not study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)):
        raise InputError(
            "No trial came to its end, so there are no best parameters: allow smaller learning "
            "rates in tuning.search, or more tuning.trials."
        )
    return _table(study, tuning, share)


def suggest(trial: optuna.Trial, spaces: dict[str, SearchedValues]) -> dict[str, float | int]:
    """A value for each searched parameter; integers where the bounds are."""
    values: dict[str, float | int] = {}
    for name, space in spaces.items():
        if space.choices:
            values[name] = trial.suggest_categorical(name, space.choices)
        elif isinstance(space.low, int) and isinstance(space.high, int):
            values[name] = trial.suggest_int(name, space.low, space.high, log=space.log)
        else:
            low, high = space.extremes
            values[name] = trial.suggest_float(name, low, high, log=space.log)
    return values


def with_values(training: TrainingParameters, values: dict[str, float | int]) -> TrainingParameters:
    """The recipe with other values, named as in ``TrainingSearch.spaces``."""
    options = OmegaConf.create(training.model_dump() | {"resume": False})
    for name, value in values.items():
        OmegaConf.update(options, name, value)
    return TrainingParameters.model_validate(OmegaConf.to_container(options))


class _Pruning(keras.callbacks.Callback):
    """Tells the study how a trial does, and ends it when the study says so."""

    def __init__(self, trial: optuna.Trial) -> None:
        super().__init__()
        self._trial = trial

    def on_epoch_end(self, epoch, logs=None):
        """Report the validation accuracy."""
        self._trial.report(logs["val_accuracy"], epoch + 1)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def _study_name(described: dict[str, Any], tuning: TuningParameters, seed: int) -> str:
    """Studies of other digits, recipes or searches do not mix; one of more trials is the same."""
    search = tuning.search.model_dump()
    text = json.dumps([described, search, seed], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tell(share: _Share, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    values = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
    if trial.state != optuna.trial.TrialState.COMPLETE:
        logger.info("%s: ended early; %s.", share.describe(trial.number), values)
        return
    logger.info(
        "%s: validation accuracy %.2f%% (best so far: trial %d, %.2f%%); %s.",
        share.describe(trial.number),
        100 * (trial.value or 0),
        share.trial(study.best_trial.number),
        100 * study.best_value,
        values,
    )


def _table(study: optuna.Study, tuning: TuningParameters, share: _Share) -> pd.DataFrame:
    names = list(tuning.search.spaces)
    rows = [
        {
            "trial": share.trial(trial.number),
            "state": trial.state.name.lower(),
            "validation_accuracy": trial.intermediate_values.get(trial.last_step or 0),
            "epochs": trial.last_step or 0,
            "seconds": trial.duration.total_seconds() if trial.duration else None,
            **{name: trial.params.get(name) for name in names},
        }
        for trial in study.get_trials(states=_DONE)
    ]
    columns = ["trial", "state", "validation_accuracy", "epochs", "seconds", *names]
    return pd.DataFrame(rows, columns=columns)
