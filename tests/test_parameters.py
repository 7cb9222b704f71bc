from copy import deepcopy

import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.parameters import AugmentationParameters, Parameters, check_parameters
from mnist_kedro.parameters.tuning import AugmentationSearch, TrainingSearch
from tests.support.parameters import configured


@pytest.fixture
def parameters():
    return deepcopy(configured("smoke"))


@pytest.mark.parametrize("env", ["local", "smoke", "quick", "accurate", "mlflow", "notebook"])
def test_every_environment_is_valid(env):
    assert check_parameters(configured(env)).networks["cnn"].root.architecture == "cnn"


def test_how_many_epochs_see_varied_digits(parameters):
    training = Parameters.model_validate(parameters).training
    plain = dict.fromkeys(training.augmentation.model_fields_set, 0)
    unvaried = type(training.augmentation)(**plain)
    assert training.augmented_epochs(16) == 14
    assert training.augmented_epochs(1) == 1
    assert training.model_copy(update={"augmentation": unvaried}).augmented_epochs(16) == 0


def test_every_amount_of_the_augmentation_can_be_searched():
    assert set(AugmentationSearch.model_fields) == set(AugmentationParameters.model_fields)
    assert {"label_smoothing", "ema_momentum"} <= set(TrainingSearch.model_fields)


def test_an_environment_changes_only_what_it_names(parameters):
    assert parameters["training"]["epochs"] == 2
    assert parameters["training"]["learning_rate"] == 0.02


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("training.epoch", 1, "'training.epoch' is unknown, did you mean 'epochs'?"),
        ("trainig", {}, "'trainig' is unknown, did you mean 'training'?"),
        ("cnn.network.filter", [8, 8], "'cnn.network.filter' is unknown, did you mean 'filters'?"),
        ("My CNN", {"network": {"architecture": "lenet5"}}, "'My CNN' is the name of a model, but"),
        ("cnn_2", {"network": {"architecture": "lenet5"}}, "'cnn_2' is the name of a model, but"),
        (
            "my_ensemble",
            {"network": {"architecture": "lenet5"}},
            "not end with _ensemble or with _ and a number",
        ),
        ("training.models", [], "'training.models' is []"),
        ("training.models", ["cnn", "cnn"], "should name each model once"),
        (
            "training.models",
            ["cnm"],
            "'training.models.0' is 'cnm', but should be one of 'cnn', 'dense'",
        ),
        ("training.members", 0, "'training.members' is 0"),
        ("training.epochs", -1, "'training.epochs' is -1, but should be greater than 0 or"),
        ("training.epochs", "two", "'training.epochs' is 'two'"),
        ("training.batch_size", 0, "'training.batch_size' is 0"),
        ("training.learning_rate", -0.1, "'training.learning_rate' is -0.1"),
        ("training.augmentation.zoom", 1, "'training.augmentation.zoom' is 1"),
        ("training.label_smoothing", 1, "'training.label_smoothing' is 1"),
        ("training.ema_momentum", 1, "'training.ema_momentum' is 1"),
        ("training.mixed_bfloat16", "perhaps", "'training.mixed_bfloat16' is 'perhaps'"),
        ("data_processing.validation_fraction", 1.5, "'data_processing.validation_fraction'"),
        ("cnn.network.architecture", "cmm", "'cnn.network.architecture' is 'cmm', but should be"),
        ("cnn.network.filters", [8], "'cnn.network.filters"),
        ("dense.network.units", [], "'dense.network.units' is"),
        ("reporting.robustness_digits", 0, "'reporting.robustness_digits' is 0"),
        ("tuning.trials", 0, "'tuning.trials' is 0"),
        ("tuning.search", {}, "should contain a parameter of training"),
        ("tuning.search.learning_rat", {"low": 1, "high": 2}, "did you mean 'learning_rate'?"),
        ("tuning.search.learning_rate", {"low": 2, "high": 1}, "low < high, or choices"),
        ("tuning.search.learning_rate", {"low": 0, "high": 1, "log": True}, "low > 0 if log"),
        ("tuning.search.learning_rate", {"low": -1, "high": 1}, "greater than 0"),
        ("tuning.search.batch_size", {"choices": [32, 0]}, "'tuning.search.batch_size' is"),
        ("tuning.search.augmentation.zoom", {"low": 0, "high": 1}, "search.augmentation.zoom' is"),
        ("ingestion.source", "", "'ingestion.source' is ''"),
        ("ingestion.keys", {"x_train": "a"}, "'ingestion.keys.y_train' is missing"),
        (
            "ingestion.keys",
            {"x_train": "a", "y_train": "b", "x_test": "c"},
            "x_test and y_test should be given together",
        ),
        ("ingestion.max_digits", 0, "'ingestion.max_digits' is 0"),
        ("ingestion.test_fraction", 1, "'ingestion.test_fraction' is 1"),
        ("inference.shown", 0, "'inference.shown' is 0"),
        ("adversarial.epsilons", [], "'adversarial.epsilons' is []"),
        ("adversarial.epsilons", [0.1, 1], "'adversarial.epsilons.1' is 1"),
    ],
)
def test_refuses_a_wrong_parameter_in_one_line_that_names_it(parameters, path, value, message):
    *groups, key = path.split(".")
    group = parameters
    for name in groups:
        group = group[name]
    group[key] = value
    with pytest.raises(InputError) as error:
        check_parameters(parameters)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "conf/base" in str(error.value)


def test_refuses_a_missing_parameter(parameters):
    del parameters["training"]["seed"]
    with pytest.raises(InputError, match=r"'training\.seed' is missing"):
        check_parameters(parameters)


def test_names_all_wrong_parameters_at_once(parameters):
    parameters["training"]["epochs"] = 0
    parameters["reporting"]["exampels"] = 3
    with pytest.raises(InputError, match=r"training\.epochs.*reporting\.exampels"):
        check_parameters(parameters)
