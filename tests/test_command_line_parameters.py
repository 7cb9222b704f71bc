from itertools import pairwise

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.framework.cli.utils import _split_params

from mnist_kedro.command_line_parameters import parse_parameters
from mnist_kedro.errors import InputError


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        ("a.b=1,c=x", {"a": {"b": 1}, "c": "x"}),
        ("a.b=[x,y], c=2", {"a": {"b": ["x", "y"]}, "c": 2}),
        ("a=[x]", {"a": ["x"]}),
        ("a=[[1,2],[3]],b={c: 1, d: [2]}", {"a": [[1, 2], [3]], "b": {"c": 1, "d": [2]}}),
        ("source=a=b.hdf5", {"source": "a=b.hdf5"}),
        ("source=/data/[old/mnist.hdf5,a=1", {"source": "/data/[old/mnist.hdf5", "a": 1}),
        (
            "source='/data/a, b.hdf5',a=[don't,'x,]']",
            {"source": "/data/a, b.hdf5", "a": ["don't", "x,]"]},
        ),
    ],
)
def test_values_may_be_lists(text, parameters):
    assert parse_parameters(text) == parameters


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "expected <parameter>=<value>, found 'a'"),
        ("=1", "expected <parameter>=<value>, found '=1'"),
        ("a=1,b", "expected <parameter>=<value>, found 'b'"),
        ("a=1,b,c=2", "expected <parameter>=<value>, found 'b'"),
        (
            "training.models=[dense,training.epochs=1",
            "training.models: unclosed bracket, brace or quote in",
        ),
        ("a=[x,'y]", "a: unclosed bracket, brace or quote in"),
        ("a=[x]y,b=1", "cannot be parsed"),
        ("a=1,a=2", "'a' and 'a' set the same"),
        ("a=1,a.b=2", "'a' and 'a.b' set the same"),
        ("a[b]=1,a.b=2", r"'a\[b\]' and 'a.b' set the same"),
    ],
)
def test_refuses_what_it_cannot_take_whole(text, message):
    with pytest.raises(InputError, match=message) as refused:
        parse_parameters(text)
    assert "\n" not in str(refused.value)


@given(st.text("ab.=,[]{}'\" :1\n", max_size=30))
def test_takes_what_kedro_takes_for_the_same_or_refuses_it_in_a_line(text):
    parameters, told = None, ""
    try:
        parameters = parse_parameters(text)
    except InputError as error:
        told = str(error)
    assert "\n" not in told
    try:
        expected = _split_params(click.Context(click.Command("run")), click.Option(["--x"]), text)
    except Exception:  # noqa: BLE001  (of many types)
        return
    if parameters is None:
        names = [item.partition("=")[0].strip() for item in text.split(",") if item.strip()]
        dotted = sorted(name.replace("[", ".").replace("]", "") + "." for name in names)
        assert any(b.startswith(a) for a, b in pairwise(dotted)), text
    else:
        assert parameters == expected
