"""Figures in the catalog: saved as pictures that say what they show."""

from io import BytesIO
from typing import NamedTuple

from kedro.io.core import get_filepath_str
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure
from PIL import Image

from mnist_kedro.plots.style import DESCRIPTION, MATPLOTLIB_LOCK, SOURCE, TITLE


class Picture(NamedTuple):
    """A figure as it was saved."""

    png: bytes
    title: str  # what it shows; empty where the figure says nothing
    description: str  # how to read it
    source: str  # what data it is of


class FigureDataset(MatplotlibDataset):
    """kedro-datasets' ``MatplotlibDataset``, which can also be loaded.

    A figure's texts whose ``gid`` is ``Title``, ``Description`` or ``Source`` go into the PNG as
    texts of these names, so that whoever shows the picture can say what is in it.

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
        told = {text.get_gid(): text.get_text() for text in data.texts}
        texts = {key: told[key] for key in (TITLE, DESCRIPTION, SOURCE) if key in told}
        with MATPLOTLIB_LOCK:
            data.savefig(buffer, **{"format": "png", "metadata": texts, **self._save_args})
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with self._fs.open(path, **self._fs_open_args_save) as file:
            file.write(buffer.getvalue())
        self._invalidate_cache()

    def load(self) -> Picture:
        """The picture as it was saved, and its texts."""
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            png = file.read()
        with Image.open(BytesIO(png)) as picture:
            texts = picture.info
        return Picture(png, *(str(texts.get(key, "")) for key in (TITLE, DESCRIPTION, SOURCE)))
