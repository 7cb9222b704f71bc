"""Render the page about the quality of the ingested digits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnist_kedro.contracts import GIVEN, Mnist
from mnist_kedro.lineage import with_lineage
from mnist_kedro.origin import describe_origin
from mnist_kedro.reports.digits import encode_digits
from mnist_kedro.reports.render import ENVIRONMENT


@with_lineage
def render_data_quality(
    mnist: Mnist,
    mean_digits: Mapping[str, Any],
    data_quality: Mapping[str, Any],
    run: Mapping[str, Any],
) -> str:
    """Render the findings as one self-contained HTML page.

    Args:
        mnist: the digits, of which the examples are shown.
        mean_digits: ``images`` ``(20, 28, 28)`` uint8 of the training and of the test classes.
        data_quality: the content of ``data_quality.json``.
        run: the description of the run.
    """
    means = [encode_digits(image) for image in np.asarray(mean_digits["images"])]
    return ENVIRONMENT.get_template("data_quality.html.jinja").render(
        **data_quality,
        digits=_pictures(mnist, data_quality["findings"]),
        means={"train": means[:10], "test": means[10:]},
        origin=describe_origin(data_quality["data"]),
        given=GIVEN,
        run=run,
    )


def _pictures(mnist: Mnist, findings: list[Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    """Load the examples of all findings: PNG files in Base64, by split and row."""
    groups = [group for finding in findings for group in finding.get("examples", [])]
    pictures = {}
    for split, images in (("train", mnist["x_train"]), ("test", mnist["x_test"])):
        rows = sorted(
            {digit["row"] for group in groups for digit in group if digit["split"] == split}
        )
        pixels = images[np.asarray(rows, np.int64)]
        pictures[split] = dict(zip(rows, map(encode_digits, pixels), strict=True))
    return pictures
