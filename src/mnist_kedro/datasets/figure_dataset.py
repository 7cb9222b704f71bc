"""Save figures as PNG files with a title, a description and a source."""

import json
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple

from kedro.io.core import get_filepath_str
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure
from PIL import Image

from mnist_kedro.lineage import Lineage, lineage_of
from mnist_kedro.plots.style import DESCRIPTION, MATPLOTLIB_LOCK, SOURCE, TITLE

_LINEAGE = "Lineage"  # key of the PNG metadata


class Picture(NamedTuple):
    """A saved figure; its texts are empty if the figure has none."""

    png: bytes
    title: str  # states the finding
    description: str  # explains how to read the figure
    source: str  # names the data
    lineage: Lineage = MappingProxyType({})  # of what the figure shows


class FigureDataset(MatplotlibDataset):
    """Extend kedro-datasets' ``MatplotlibDataset``: its figures can also be loaded.

    A figure's texts whose ``gid`` is ``Title``, ``Description`` or ``Source`` are saved as PNG
    metadata under these names, so that pages that show the picture can describe it. So is its
    lineage, as JSON.

    ```yaml
    confusion_matrix:
      type: mnist_kedro.datasets.figure_dataset.FigureDataset
      filepath: data/08_reporting/confusion_matrix.png
      versioned: true
    ```
    """

    def save(self, data: Figure) -> None:
        """Save one figure."""
        buffer = BytesIO()
        by_gid = {text.get_gid(): text.get_text() for text in data.texts}
        texts = {key: by_gid[key] for key in (TITLE, DESCRIPTION, SOURCE) if key in by_gid}
        texts[_LINEAGE] = json.dumps(lineage_of(data))
        with MATPLOTLIB_LOCK:
            data.savefig(buffer, **{"format": "png", "metadata": texts, **self._save_args})
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with self._fs.open(path, **self._fs_open_args_save) as file:
            file.write(buffer.getvalue())
        self._invalidate_cache()

    def load(self) -> Picture:
        """Load the picture and its texts."""
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            png = file.read()
        with Image.open(BytesIO(png)) as picture:
            texts = picture.info
        title, description, source = (
            str(texts.get(key, "")) for key in (TITLE, DESCRIPTION, SOURCE)
        )
        return Picture(png, title, description, source, json.loads(texts.get(_LINEAGE, "{}")))
