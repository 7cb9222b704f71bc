"""Markdown in the catalog."""

from kedro_datasets._typing import HTMLPreview
from kedro_datasets.text import TextDataset


class MarkdownDataset(TextDataset):
    """kedro-datasets' ``TextDataset`` that Kedro-Viz shows.

    ```yaml
    model_card:
      type: mnist_kedro.datasets.markdown_dataset.MarkdownDataset
      filepath: data/08_reporting/model_card.md
      versioned: true
    ```
    """

    def preview(self) -> HTMLPreview:
        """The text, which Kedro-Viz renders; without its YAML header, which is for machines."""
        text = self.load()
        if text.startswith("---\n"):
            _, _, text = text[4:].partition("\n---\n")
        return HTMLPreview(text)
