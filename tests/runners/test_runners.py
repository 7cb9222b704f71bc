"""What Kedro promises of its runners, for SequentialRunner, ThreadRunner and DaskRunner."""

import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.hooks import hook_impl
from kedro.io import (
    AbstractDataset,
    CachedDataset,
    DataCatalog,
    DatasetError,
    MemoryDataset,
)
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline
from kedro.validation.exceptions import DataValidationError
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset
from kedro_datasets.partitions import IncrementalDataset, PartitionedDataset

from mnist_kedro.runners import DaskRunner

VERSION = "2026-01-01T00.00.00.000Z"


def identity(value):
    return value


def double(value):
    return 2 * value


def add(one, other):
    return one + other


def split(value):
    return value // 2, value - value // 2


def name_both(value):
    return {"half": value // 2, "whole": value}


def sink(value):
    assert value is not None


def source():
    return "made"


def nothing():
    return None


class OddError(Exception):
    """An exception that Python cannot unpickle."""

    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


def fail(_value):
    raise OddError(3, "no good")


def fail_with_cause(value):
    try:
        fail(value)
    except OddError as error:
        raise ValueError("worse") from error


class LockedError(Exception):
    """An exception with a part that cannot be pickled."""

    def __init__(self):
        import threading

        super().__init__("locked")
        self.lock = threading.Lock()


def fail_unpicklably(_value):
    raise LockedError


class LeaveError(SystemExit):
    """An exit with an ``__init__`` of its own."""

    def __init__(self, code, why):
        super().__init__(code)
        self.why = why


def leave(_value):
    raise LeaveError(3, "enough")


class Log(AbstractDataset):
    """A dataset in a file that also logs what is done with it, in any process."""

    def __init__(self, folder, name):
        self._folder, self._name = Path(folder), name

    def _note(self, event):
        with (self._folder / "log").open("a") as file:
            file.write(f"{event} {self._name}\n")

    def load(self):
        self._note("load")
        return int((self._folder / self._name).read_text())

    def save(self, data):
        self._note("save")
        (self._folder / self._name).write_text(str(data))

    def _exists(self):
        return (self._folder / self._name).exists()

    def _release(self):
        self._note("release")

    def confirm(self):
        self._note("confirm")

    def _describe(self):
        return {"name": self._name}


@pytest.fixture
def logged(tmp_path):
    """A catalog of logging datasets, of which ``a`` has data; and what was done with them."""

    def make(*names):
        catalog = DataCatalog({name: Log(tmp_path, name) for name in names})
        (tmp_path / "a").write_text("3")
        return catalog

    make.events = lambda: (tmp_path / "log").read_text().splitlines()
    return make


def chain(*functions):
    """Nodes from a to b to c and so on."""
    names = "abcdefgh"
    return Pipeline(
        [
            Node(function, names[i], names[i + 1], name=f"node_{i}")
            for i, function in enumerate(functions)
        ]
    )


class Recorder:
    """Record all hooks of nodes and datasets, with their arguments."""

    def __init__(self):
        self.calls = []

    @hook_impl
    def before_dataset_loaded(self, dataset_name, node):
        self.calls.append(("before_dataset_loaded", dataset_name, node.name))

    @hook_impl
    def after_dataset_loaded(self, dataset_name, data, node):
        self.calls.append(("after_dataset_loaded", dataset_name, data, node.name))

    @hook_impl
    def before_node_run(self, node, catalog, inputs, is_async, run_id):
        keys = sorted(catalog.keys())
        self.calls.append(("before_node_run", node.name, keys, inputs.copy(), is_async, run_id))

    @hook_impl
    def after_node_run(self, node, catalog, inputs, outputs, is_async, run_id):
        self.calls.append(("after_node_run", node.name, dict(inputs), dict(outputs), run_id))

    @hook_impl
    def on_node_error(self, error, node, inputs, run_id):
        self.calls.append(("on_node_error", repr(error), node.name, dict(inputs), run_id))

    @hook_impl
    def before_dataset_saved(self, dataset_name, data, node):
        self.calls.append(("before_dataset_saved", dataset_name, data, node.name))

    @hook_impl
    def after_dataset_saved(self, dataset_name, data, node):
        self.calls.append(("after_dataset_saved", dataset_name, data, node.name))


# Results


def test_all_outputs_that_no_node_reads_are_returned(runner):
    pipeline = Pipeline(
        [
            Node(split, "a", ["b", "c"], name="split"),
            Node(name_both, "b", {"half": "d", "whole": "e"}, name="name"),
            Node(add, ["c", "e"], "f", name="add"),
            Node(add, {"one": "a", "other": "params:number"}, "g", name="add_parameter"),
            Node(sink, "d", None, name="sink"),
            Node(source, None, "h", name="source"),
        ]
    )
    catalog = DataCatalog({"a": MemoryDataset(11), "params:number": MemoryDataset(100)})
    outputs = runner.run(pipeline, catalog)
    assert {name: dataset.load() for name, dataset in outputs.items()} == {
        "f": 11, "g": 111, "h": "made",
    }  # fmt: skip
    assert catalog.load("f") == 11
    assert catalog.load("a") == 11  # inputs stay


def test_an_output_that_is_also_read_is_not_kept(runner):
    catalog = DataCatalog({"a": MemoryDataset(1)})
    outputs = runner.run(chain(double, double), catalog)
    assert {name: dataset.load() for name, dataset in outputs.items()} == {"c": 4}
    with pytest.raises(DatasetError, match="has not been saved yet"):
        catalog.load("b")


def test_a_stored_output_is_returned_too(runner, tmp_path):
    catalog = DataCatalog(
        {"a": MemoryDataset(1), "b": JSONDataset(filepath=str(tmp_path / "b.json"))}
    )
    assert runner.run(chain(double), catalog)["b"].load() == 2
    assert catalog.load("b") == 2


def test_inputs_that_the_catalog_lacks_are_refused(runner):
    with pytest.raises(ValueError, match=r"Pipeline input\(s\) {'a'} not found"):
        runner.run(chain(double), DataCatalog())


def test_a_pattern_makes_datasets(runner, tmp_path):
    config = {"{name}": {"type": "json.JSONDataset", "filepath": str(tmp_path / "{name}.json")}}
    catalog = DataCatalog.from_config(config)
    catalog.save("a", 2)
    runner.run(chain(double, double), catalog)
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json", "c.json"}
    assert catalog.load("c") == 8


def test_a_catch_all_pattern_in_memory_has_no_data_before_it_is_saved(runner):
    catalog = DataCatalog.from_config({"{anything}": {"type": "MemoryDataset"}})
    with pytest.raises(DatasetError, match="a: Data for MemoryDataset has not been saved yet"):
        runner.run(chain(identity), catalog)


def test_a_cached_dataset_is_loaded(runner, tmp_path):
    path = str(tmp_path / "a.json")
    JSONDataset(filepath=path).save({"x": 1})
    catalog = DataCatalog({"a": CachedDataset(JSONDataset(filepath=path))})
    assert runner.run(chain(identity, identity), catalog)["c"].load() == {"x": 1}


def test_transcoded_datasets_are_one(runner, tmp_path):
    path = str(tmp_path / "b.csv")
    catalog = DataCatalog(
        {
            "a": MemoryDataset(pd.DataFrame({"x": [1, 2]})),
            "b@frame": CSVDataset(filepath=path, save_args={"index": False}),
            "b@again": CSVDataset(filepath=path, load_args={"dtype": float}),
        }
    )
    pipeline = Pipeline(
        [
            Node(identity, "a", "b@frame", name="save"),
            Node(lambda frame: frame["x"].sum(), "b@again", "c", name="sum"),
        ]
    )
    assert runner.run(pipeline, catalog)["c"].load() == 3.0


@pytest.mark.parametrize("mode", ["assign", "copy", "deepcopy", None])
def test_data_in_memory_is_copied_as_its_dataset_says(runner, mode):
    def change(values):
        values["x"].append(9)
        return values

    pipeline = Pipeline(
        [
            Node(lambda: {"x": [1]}, None, "made", name="make"),
            Node(change, "made", "changed", name="change"),
            Node(lambda made, changed: (made, changed), ["made", "changed"], "both", name="look"),
        ]
    )
    catalog = DataCatalog({"made": MemoryDataset(copy_mode=mode)})
    made, changed = runner.run(pipeline, catalog)["both"].load()
    assert changed == {"x": [1, 9]}
    assert made in ({"x": [1]}, {"x": [1, 9]} if mode in ("assign", "copy") else None)


def test_arrays_and_objects_pass_in_memory(runner):
    pipeline = Pipeline(
        [
            Node(np.arange, "a", "array", name="make"),
            Node(lambda array: array.sum(), "array", "sum", name="sum"),
            Node(lambda array: lambda x: x + array[-1], "array", "function", name="function"),
            Node(lambda function, total: function(total), ["function", "sum"], "b", name="call"),
        ]
    )
    catalog = DataCatalog({"a": MemoryDataset(200_000)})
    assert runner.run(pipeline, catalog)["b"].load() == sum(range(200_000)) + 199_999


def test_large_inputs_in_memory_are_read(runner):
    catalog = DataCatalog({"a": MemoryDataset(np.ones(300_000))})
    pipeline = Pipeline(
        [
            Node(lambda array: array.sum(), "a", "b", name="one"),
            Node(lambda array: array.mean(), "a", "c", name="other"),
        ]
    )
    outputs = runner.run(pipeline, catalog)
    assert (outputs["b"].load(), outputs["c"].load()) == (300_000, 1)


def test_none_cannot_be_saved(runner):
    with pytest.raises(DatasetError, match="Saving 'None' to a 'Dataset' is not allowed"):
        runner.run(Pipeline([Node(nothing, None, "a", name="nothing")]), DataCatalog())


def test_only_missing_outputs_are_made(runner, logged):
    catalog = logged("a", "b", "c")
    catalog.save("b", 100)
    runner.run(chain(double, double), catalog, only_missing_outputs=True)
    assert catalog.load("c") == 200
    assert "save b" not in logged.events()[1:]


def test_partitions_that_are_functions_are_saved(runner, tmp_path):
    catalog = DataCatalog(
        {"parts": PartitionedDataset(path=str(tmp_path), dataset="json.JSONDataset")}
    )
    pipeline = Pipeline(
        [
            Node(lambda: {f"{i}.json": (lambda i=i: i) for i in range(3)}, None, "parts"),
            Node(lambda parts: sum(load() for load in parts.values()), "parts", "sum"),
        ]
    )
    assert runner.run(pipeline, catalog)["sum"].load() == 3


# Order, releases, confirmations


def test_datasets_are_released_when_no_other_node_reads_them(runner, logged):
    runner.run(chain(identity, identity), logged("a", "b", "c"))
    assert logged.events() == [
        "load a", "save b", "load b", "save c", "release b",
    ]  # fmt: skip


def test_an_output_that_no_node_reads_stays_and_an_input_too(runner, logged):
    runner.run(chain(identity), logged("a", "b"))
    assert logged.events() == ["load a", "save b"]


def test_a_dataset_is_released_after_its_last_reader(runner, logged):
    pipeline = Pipeline(
        [
            Node(identity, "a", "b", name="make"),
            Node(identity, "b", "c", name="first"),
            Node(add, ["b", "c"], "d", name="second"),
        ]
    )
    runner.run(pipeline, logged("a", "b", "c", "d"))
    events = logged.events()
    assert events[-2:] == ["release b", "release c"]
    assert events.count("load b") == 2


def test_a_node_confirms_a_dataset_after_it_has_run(runner, logged):
    pipeline = Pipeline([Node(identity, "a", "b", confirms="a", name="confirm")])
    runner.run(pipeline, logged("a", "b"))
    assert logged.events() == ["load a", "save b", "confirm a"]


def test_a_later_node_confirms_only_what_was_loaded(runner, tmp_path):
    """A partition that arrives meanwhile is loaded by the next run."""
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.json").write_text("1")

    def load(parts):
        (folder / "2.json").write_text("2")
        return sorted(parts)

    pipeline = Pipeline(
        [
            Node(load, "parts", "loaded", name="load"),
            Node(identity, "loaded", "seen", confirms="parts", name="confirm"),
        ]
    )
    seen = []
    for _ in range(2):
        parts = IncrementalDataset(path=str(folder), dataset="json.JSONDataset")
        seen.append(runner.run(pipeline, DataCatalog({"parts": parts}))["seen"].load())
    assert seen == [["1.json"], ["2.json"]]


def test_a_dataset_keeps_what_it_remembers(runner, tmp_path):
    class Counting(JSONDataset):
        loads = 0

        def load(self):
            self.loads += 1
            return super().load()

    (tmp_path / "a.json").write_text("1")
    dataset = Counting(filepath=str(tmp_path / "a.json"))
    runner.run(chain(double), DataCatalog({"a": dataset}))
    assert dataset.loads == 1


def test_a_hook_may_change_a_dataset(runner, hooked, tmp_path):
    """As hooks of this project do, which choose the version that is loaded."""

    class Point:
        @hook_impl
        def before_dataset_loaded(self, dataset_name):
            catalog.get(dataset_name)._filepath = tmp_path / "other.json"

        @hook_impl
        def after_dataset_saved(self, dataset_name):
            catalog.get(dataset_name).metadata = "saved"

    (tmp_path / "other.json").write_text("5")
    catalog = DataCatalog(
        {
            "a": JSONDataset(filepath=str(tmp_path / "none.json")),
            "b": JSONDataset(filepath=str(tmp_path / "b.json")),
        }
    )
    runner.run(chain(double), catalog, hooked(Point()))
    assert (tmp_path / "b.json").read_text() == "10"
    assert catalog.get("b").metadata == "saved"


class Numbers(MemoryDataset):
    """A dataset in memory that keeps its data in its own way."""

    kept = 0

    def save(self, data):
        self.kept += data

    def load(self):
        return self.kept


def test_a_dataset_in_memory_may_keep_its_data_in_its_own_way(runner):
    catalog = DataCatalog({"a": MemoryDataset(3), "b": Numbers()})
    assert runner.run(chain(identity, identity), catalog)["c"].load() == 3


def test_a_dataset_to_confirm_must_be_in_the_catalog(runner):
    pipeline = Pipeline([Node(identity, "a", "b", confirms="unknown", name="confirm")])
    with pytest.raises(DatasetError, match="'unknown' not found in the catalog"):
        runner.run(pipeline, DataCatalog({"a": MemoryDataset(1)}))


# Versions


def versioned(tmp_path, name):
    return JSONDataset(filepath=str(tmp_path / f"{name}.json"), version=Version(None, VERSION))


def test_a_version_is_saved_and_loaded(runner, tmp_path):
    catalog = DataCatalog({"a": MemoryDataset(1), "b": versioned(tmp_path, "b")})
    assert runner.run(chain(double, double), catalog)["c"].load() == 4
    assert (tmp_path / "b.json" / VERSION / "b.json").exists()
    assert catalog.load("b") == 2


def test_a_version_that_exists_is_not_overwritten(runner, tmp_path):
    path = tmp_path / "b.json" / VERSION / "b.json"
    path.parent.mkdir(parents=True)
    path.write_text("7")
    catalog = DataCatalog({"a": MemoryDataset(1), "b": versioned(tmp_path, "b")})
    with pytest.raises(DatasetError, match="must not exist if versioning is enabled"):
        runner.run(chain(double), catalog)
    assert path.read_text() == "7"


def test_a_version_that_does_not_exist_is_not_loaded(runner, tmp_path):
    dataset = JSONDataset(filepath=str(tmp_path / "a.json"), version=Version(VERSION, None))
    with pytest.raises(DatasetError, match="a: "):
        runner.run(chain(double), DataCatalog({"a": dataset}))


# Generators


def halves(value):
    yield value // 2
    yield value - value // 2


def frames():
    for i in range(3):
        yield pd.DataFrame({"x": [i]})


def pairs():
    for i in range(3):
        yield i, 10 * i


def named_pairs():
    for i in range(3):
        yield {"one": i, "other": 10 * i}


class Appending(AbstractDataset):
    def __init__(self, filepath):
        self._filepath = Path(filepath)

    def load(self):
        return [int(line) for line in self._filepath.read_text().split()]

    def save(self, data):
        with self._filepath.open("a") as file:
            file.write(f"{data}\n")

    def _describe(self):
        return {"filepath": self._filepath}


def test_each_piece_of_a_generator_is_saved(runner, tmp_path, hooked):
    catalog = DataCatalog({"a": MemoryDataset(7), "b": Appending(tmp_path / "b")})
    recorder = Recorder()
    runner.run(chain(halves), catalog, hooked(recorder))
    assert catalog.load("b") == [3, 4]
    saved = [call[2] for call in recorder.calls if call[0] == "before_dataset_saved"]
    assert saved == [3, 4]


@pytest.mark.parametrize(
    ("function", "outputs"),
    [(pairs, ["one", "other"]), (named_pairs, {"one": "one", "other": "other"})],
)
def test_a_generator_may_have_several_outputs(runner, tmp_path, function, outputs):
    catalog = DataCatalog({name: Appending(tmp_path / name) for name in ("one", "other")})
    runner.run(Pipeline([Node(function, None, outputs, name="pairs")]), catalog)
    assert catalog.load("one") == [0, 1, 2]
    assert catalog.load("other") == [0, 10, 20]


def test_a_generator_cannot_save_a_version_twice(runner, tmp_path):
    catalog = DataCatalog({"a": MemoryDataset(7), "b": versioned(tmp_path, "b")})
    with pytest.raises(DatasetError, match="must not exist"):
        runner.run(chain(halves), catalog)
    assert catalog.load("b") == 3


def test_an_error_in_a_generator_ends_the_run(runner, tmp_path):
    def broken(value):
        yield value
        raise ValueError("after one")

    catalog = DataCatalog({"a": MemoryDataset(7), "b": Appending(tmp_path / "b")})
    with pytest.raises(ValueError, match="after one"):
        runner.run(chain(broken), catalog)
    assert catalog.load("b") == [7]


# Validators


@pytest.mark.parametrize("on", [["load"], ["save"], ["load", "save"]])
def test_a_validator_runs_once_for_each_load_and_save(runner, tmp_path, on):
    def config(path):
        return {
            "b": {
                "type": "MemoryDataset" if path is None else "json.JSONDataset",
                **({} if path is None else {"filepath": str(path)}),
                "validator": {"class": f"{__name__}.AddOne", "on": on},
            }
        }

    for path in (None, tmp_path / "b.json"):
        catalog = DataCatalog.from_config(config(path))
        catalog["a"] = 1
        assert runner.run(chain(double, identity), catalog)["c"].load() == 2 + len(on)


class AddOne:
    """A validator that changes the data."""

    def validate(self, data):
        return data + 1


class Reject:
    def validate(self, data):
        raise ValueError(f"{data} is wrong")


def test_a_validator_that_rejects_ends_the_run(runner):
    config = {"b": {"type": "MemoryDataset", "validator": f"{__name__}.Reject"}}
    catalog = DataCatalog.from_config(config)
    catalog["a"] = 1
    with pytest.raises(DataValidationError, match="2 is wrong") as caught:
        runner.run(chain(double), catalog)
    assert caught.value.dataset_name == "b"


# Hooks


def diamond():
    return Pipeline(
        [
            Node(double, "a", "b", name="double"),
            Node(double, "b", "c", name="again"),
            Node(add, ["b", "c"], "d", name="add"),
        ]
    )


def hook_calls(runner, hooked, tmp_path, pipeline, catalog):
    recorder = Recorder()
    runner.run(pipeline, catalog, hooked(recorder), run_id="the run")
    return recorder.calls


def test_hooks_are_called_in_kedro_s_order_with_kedro_s_arguments(runner, hooked, tmp_path):
    catalog = DataCatalog(
        {"a": MemoryDataset(3), "d": JSONDataset(filepath=str(tmp_path / "d.json"))}
    )
    keys = ["a", "b", "c", "d"]
    assert hook_calls(runner, hooked, tmp_path, diamond(), catalog) == [
        ("before_dataset_loaded", "a", "double"),
        ("after_dataset_loaded", "a", 3, "double"),
        ("before_node_run", "double", keys, {"a": 3}, False, "the run"),
        ("after_node_run", "double", {"a": 3}, {"b": 6}, "the run"),
        ("before_dataset_saved", "b", 6, "double"),
        ("after_dataset_saved", "b", 6, "double"),
        ("before_dataset_loaded", "b", "again"),
        ("after_dataset_loaded", "b", 6, "again"),
        ("before_node_run", "again", keys, {"b": 6}, False, "the run"),
        ("after_node_run", "again", {"b": 6}, {"c": 12}, "the run"),
        ("before_dataset_saved", "c", 12, "again"),
        ("after_dataset_saved", "c", 12, "again"),
        ("before_dataset_loaded", "b", "add"),
        ("after_dataset_loaded", "b", 6, "add"),
        ("before_dataset_loaded", "c", "add"),
        ("after_dataset_loaded", "c", 12, "add"),
        ("before_node_run", "add", keys, {"b": 6, "c": 12}, False, "the run"),
        ("after_node_run", "add", {"b": 6, "c": 12}, {"d": 18}, "the run"),
        ("before_dataset_saved", "d", 18, "add"),
        ("after_dataset_saved", "d", 18, "add"),
    ]


def test_a_hook_may_replace_inputs(runner, hooked):
    class Replace:
        @hook_impl
        def before_node_run(self, node):
            return {"b": 100} if node.name == "add" else None

    recorder = Recorder()
    outputs = runner.run(
        diamond(), DataCatalog({"a": MemoryDataset(3)}), hooked(recorder, Replace())
    )
    assert outputs["d"].load() == 112
    seen = [call[2] for call in recorder.calls if call[0] == "after_node_run"]
    assert seen[-1] == {"b": 100, "c": 12}


def test_a_hook_may_not_return_anything_else(runner, hooked):
    class Wrong:
        @hook_impl
        def before_node_run(self):
            return "text"

    with pytest.raises(TypeError, match="must return either None or a dictionary"):
        runner.run(diamond(), DataCatalog({"a": MemoryDataset(3)}), hooked(Wrong()))


@pytest.mark.parametrize(
    ("hook", "loaded", "saved"),
    [
        ("before_dataset_loaded", False, False),
        ("after_dataset_loaded", True, False),
        ("before_node_run", True, False),
        ("after_node_run", True, False),
        ("before_dataset_saved", True, False),
        ("after_dataset_saved", True, True),
    ],
)
def test_a_hook_that_raises_ends_the_run(runner, hooked, logged, hook, loaded, saved):
    class Veto:
        """Every hook is a method of its own class."""

    error = OddError(1, "veto")

    def veto(self, node):
        raise error

    setattr(Veto, hook, hook_impl(veto))
    with pytest.raises(OddError, match="1: veto") as caught:
        runner.run(chain(double, double), logged("a", "b", "c"), hooked(Veto()))
    assert caught.value is error
    events = logged.events() if (loaded or saved) else []
    assert ("load a" in events, "save b" in events) == (loaded, saved)


@pytest.mark.parametrize(
    ("function", "error"),
    [(fail, OddError), (fail_with_cause, ValueError), (fail_unpicklably, Exception)],
)
def test_an_error_of_a_node_is_raised_and_told_to_hooks(runner, hooked, function, error):
    recorder = Recorder()
    with pytest.raises(error) as caught:
        runner.run(
            chain(double, function),
            DataCatalog({"a": MemoryDataset(2)}),
            hooked(recorder),
            "the run",
        )
    call, told, *rest = recorder.calls[-1]
    assert (call, *rest) == ("on_node_error", "node_1", {"b": 4}, "the run")
    assert told == repr(caught.value)
    assert "test_runners.py" in str(caught.traceback[-1].path)  # where the node failed
    if function is fail_with_cause:
        assert isinstance(caught.value.__cause__, OddError)
        assert str(caught.value.__cause__) == "3: no good"


def test_errors_of_datasets_are_not_told_to_hooks_as_errors_of_nodes(runner, hooked, tmp_path):
    recorder = Recorder()
    catalog = DataCatalog({"a": JSONDataset(filepath=str(tmp_path / "none.json"))})
    with pytest.raises(DatasetError, match="a: Failed while loading data"):
        runner.run(chain(double), catalog, hooked(recorder))
    assert [call[0] for call in recorder.calls] == ["before_dataset_loaded"]


def test_a_hook_that_reads_inputs_of_a_failed_node_does_not_mask_its_error(runner, hooked):
    class Reading:
        @hook_impl
        def on_node_error(self, inputs, catalog):
            assert inputs["b"] == catalog.load("b") == 4

    with pytest.raises(OddError, match="no good"):
        runner.run(chain(double, fail), DataCatalog({"a": MemoryDataset(2)}), hooked(Reading()))


def test_hooks_that_take_data_do_not_load_what_can_only_be_saved(runner, hooked):
    class SaveOnly(AbstractDataset):
        def load(self):
            raise DatasetError("loading is not supported")

        def save(self, data):
            pass

        def _describe(self):
            return {}

    recorder = Recorder()
    catalog = DataCatalog({"a": MemoryDataset(2), "b": SaveOnly()})
    runner.run(chain(double), catalog, hooked(recorder))
    assert recorder.calls[-1] == ("after_dataset_saved", "b", 4, "node_0")


def test_hooks_take_data_that_cannot_be_pickled(runner, hooked, tmp_path):
    class Keep(AbstractDataset):
        def load(self):
            return (i for i in range(3))

        def save(self, data):
            assert list(data) == [0, 1, 2]

        def _describe(self):
            return {}

    recorder = Recorder()
    catalog = DataCatalog({"a": Keep(), "b": Keep()})
    runner.run(chain(identity), catalog, hooked(recorder))
    assert "generator" in repr(recorder.calls[-1][2])


def test_a_node_that_leaves_ends_the_run_with_its_status(runner):
    with pytest.raises(SystemExit) as caught:
        runner.run(chain(leave), DataCatalog({"a": MemoryDataset(2)}))
    assert caught.value.code == 3


def test_after_a_failure_other_nodes_end_but_no_more_start(runner, logged, tmp_path):
    def slow(value):
        time.sleep(1)
        return value

    pipeline = Pipeline(
        [
            Node(identity, "a", "b", name="first"),
            Node(fail, "b", "c", name="fail"),
            Node(slow, "b", "d", name="slow"),
            Node(slow, "d", "e", name="never"),
        ]
    )
    with pytest.raises(OddError):
        runner.run(pipeline, logged("a", "b", "c", "d", "e"))
    before = logged.events()
    time.sleep(1.5)
    assert logged.events() == before
    assert "save e" not in before


def test_a_failed_run_says_how_to_resume(runner, logged, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(OddError):
        runner.run(chain(double, fail), logged("a", "b", "c"))
    assert '--from-nodes "node_1"' in caplog.text


def test_progress_is_logged(runner, caplog):
    with caplog.at_level(logging.INFO, "kedro.runner"):
        runner.run(chain(double, double), DataCatalog({"a": MemoryDataset(2)}))
    assert "Completed node: node_1" in caplog.text
    assert "Completed 2 out of 2 tasks" in caplog.text


def test_a_catalog_is_used_by_a_second_run(runner):
    catalog = DataCatalog({"a": MemoryDataset(2)})
    for _ in range(2):
        assert runner.run(chain(double, double), catalog)["c"].load() == 8


# What DaskRunner does differently (docs/deployment.md); it also refuses is_async.


class Meddler:
    @hook_impl
    def before_node_run(self, inputs):
        inputs["a"].append(2)


def test_a_hook_that_changes_inputs_in_place_changes_a_copy_on_dask(runner, hooked):
    catalog = DataCatalog({"a": MemoryDataset([1])})
    outputs = runner.run(chain(identity), catalog, hooked(Meddler()))
    assert outputs["b"].load() == ([1] if on_dask(runner) else [1, 2])


class KeyedError(Exception):
    def __new__(cls, key):
        return super().__new__(cls)

    def __init__(self, key):
        super().__init__(f"no {key}")


def test_an_error_that_cannot_be_made_again_becomes_a_runtime_error_on_dask(runner):
    def fail(_value):
        raise KeyedError("digit")

    kind = RuntimeError if on_dask(runner) else KeyedError
    with pytest.raises(kind, match="no digit"):
        runner.run(chain(fail), DataCatalog({"a": MemoryDataset(1)}))


def on_dask(runner):
    return isinstance(runner, DaskRunner)
