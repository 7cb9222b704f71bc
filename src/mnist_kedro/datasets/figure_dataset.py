"""Save figures as PNG files with a title, a description and a source."""

import json
from io import BytesIO
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from kedro.io.core import get_filepath_str
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure
from PIL import Image

from mnist_kedro.lineage import Lineage, lineage_of
from mnist_kedro.plots.style import DESCRIPTION, MATPLOTLIB_LOCK, SOURCE, TITLE

_OVERHANG = 0.05  # inches; labels of square axes can extend this far outside of the layout
_LINEAGE, _CONTENT = "Lineage", "Content"  # keys of the PNG metadata


class Picture(NamedTuple):
    """A saved figure; its texts are empty if the figure has none."""

    png: bytes
    title: str  # states the finding
    description: str  # explains how to read the figure
    source: str  # names the data
    lineage: Lineage = MappingProxyType({})  # lineage of the data in the figure
    content: tuple[float, float] = (0.0, 1.0)  # top and bottom of the plot: shares of the height

    def __repr__(self) -> str:
        """Return the title only, because the bytes would fill pages."""
        return f"Picture({self.title!r})"

    def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
        """Return the picture for a notebook, and the width at which its text has normal size."""
        with Image.open(BytesIO(self.png)) as picture:
            return self.png, {"width": picture.width / 1.5}


class FigureDataset(MatplotlibDataset):
    """A ``MatplotlibDataset`` (kedro-datasets) that can also load its figures.

    Lists and dictionaries of figures are saved in a folder. Texts of a figure whose ``gid`` is
    ``Title``, ``Description`` or ``Source`` are saved as PNG metadata under these names, so that
    pages can describe the picture. The lineage of the figure is saved in the same way, as JSON.

    ```yaml
    confusion_matrix:
      type: mnist_kedro.datasets.figure_dataset.FigureDataset
      filepath: data/08_reporting/confusion_matrix.png
      versioned: true
    ```
    """

    def _save_to_fs(self, full_key_path: str, plot: Figure) -> None:
        """Save one figure; ``MatplotlibDataset.save`` calls this method."""
        buffer = BytesIO()
        by_gid = {text.get_gid(): text.get_text() for text in plot.texts}
        texts = {key: by_gid[key] for key in (TITLE, DESCRIPTION, SOURCE) if key in by_gid}
        texts[_LINEAGE] = json.dumps(lineage_of(plot))
        texts[_CONTENT] = json.dumps(_find_content(plot))
        with MATPLOTLIB_LOCK:
            plot.savefig(buffer, **{"format": "png", "metadata": texts, **self._save_args})
        with self._fs.open(full_key_path, **self._fs_open_args_save) as file:
            file.write(buffer.getvalue())

    def load(self) -> Picture | dict[str, Picture]:
        """Load a picture with its texts, or the pictures of a folder as a mapping of file names."""
        path = get_filepath_str(self._get_load_path(), self._protocol)
        if self._fs.isdir(path):
            return {
                PurePosixPath(file).name: self._load_picture(file)
                for file in self._fs.ls(path, detail=False)
            }
        return self._load_picture(path)

    def _load_picture(self, path: str) -> Picture:
        with self._fs.open(path, "rb") as file:
            png = file.read()
        with Image.open(BytesIO(png)) as picture:
            texts = picture.info
        title, description, source = (
            str(texts.get(key, "")) for key in (TITLE, DESCRIPTION, SOURCE)
        )
        title, description, source = (
            " ".join(text.split()) for text in (title, description, source)
        )
        lineage, content = texts.get(_LINEAGE, "{}"), texts.get(_CONTENT, "[0.0, 1.0]")
        return Picture(
            png, title, description, source, json.loads(lineage), tuple(json.loads(content))
        )


def _find_content(figure: Figure) -> tuple[float, float]:
    """Return the top and the bottom of the plot, measured from the top, as shares of the height."""
    engine = figure.get_layout_engine()
    _, bottom, _, height = engine.get().get("rect", (0, 0, 1, 1)) if engine else (0, 0, 1, 1)
    pad = _OVERHANG / figure.get_figheight()
    return max(0.0, 1 - bottom - height - pad), min(1.0, 1 - bottom + pad)
