"""The drawing of each network has its layers, and what goes from each to the next."""

import re

import pytest

from tests.support.networks import NETWORKS, build


@pytest.mark.parametrize("network", NETWORKS)
def test_every_layer_is_drawn_once_and_reached(network):
    from mnist_kedro.models.drawing import draw_network

    first, *lines = draw_network(NETWORKS[network]).splitlines()
    assert first == "flowchart TD"
    model = build(network)
    boxes = [line for line in lines if "--" not in line]
    drawn = dict(re.fullmatch(r'(\w+)\(?\["(.*)"\]\)?', line).groups() for line in boxes)
    types = [type(layer).__name__ for layer in model.layers if type(layer).__name__ != "InputLayer"]
    assert [text.partition("<br/>")[0] for text in drawn.values()] == ["pixels", *types]
    weights = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) weights", "\n".join(lines))]
    assert sum(weights) == model.count_params()
    arrows = [line.split(" --> ") for line in lines if "--" in line]
    assert {target for _, target in arrows} == set(drawn) - {"pixels"}
    assert {source for source, _ in arrows} == set(drawn) - {list(drawn)[-1]}
    assert len(arrows) == len(types) + types.count("Add")  # which takes two
