"""Save and load tables that may be larger than memory, as CSV."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, cast

import pandas as pd
from kedro.io.core import get_filepath_str
from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import CSVDataset


class Tables:
    """Tables that are computed lazily; each iteration computes them again."""

    def __init__(self, compute: Callable[[], Iterator[pd.DataFrame]]) -> None:
        self._compute = compute

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return self._compute()

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self


class TableDataset(CSVDataset):
    """A ``pandas.CSVDataset`` that saves several tables in one file, one below the other.

    With ``load_args: {chunksize: …}`` the file is loaded as tables of that many rows.

    Example for ``catalog.yml``:

    ```yaml
    digit_predictions:
      type: mnist_kedro.datasets.table_dataset.TableDataset
      filepath: data/07_model_output/digit_predictions.csv
      versioned: true
      load_args: {chunksize: 10000}
      save_args: {index: false}
    ```
    """

    def load(self) -> Iterable[pd.DataFrame]:
        """Load the tables lazily; without ``chunksize``, load one table."""
        if "chunksize" not in self._load_args:
            return [super().load()]
        super().load().close()  # raises an error now if the file is missing
        return Tables(self._read)

    def _read(self) -> Iterator[pd.DataFrame]:
        with super().load() as tables:
            yield from tables

    def preview(self, nrows: int = 5) -> TablePreview:
        """Return the first rows for Kedro-Viz."""
        first = next(iter(self.load())).head(nrows)
        return cast("TablePreview", first.to_dict(orient="split"))

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Write tables with the same columns; the file appears when it is complete."""
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with self._fs.open(path, **self._fs_open_args_save) as file:
            for number, table in enumerate(data):
                table.to_csv(path_or_buf=file, header=not number, **self._save_args)
        self._invalidate_cache()
