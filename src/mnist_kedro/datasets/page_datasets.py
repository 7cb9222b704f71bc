"""Pages for people to read, which Kedro-Viz shows too."""

import re

from kedro_datasets._typing import HTMLPreview
from kedro_datasets.text import TextDataset


class MarkdownDataset(TextDataset):
    """kedro-datasets' ``TextDataset`` for Markdown.

    ```yaml
    model_card:
      type: mnist_kedro.datasets.page_datasets.MarkdownDataset
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


class HTMLDataset(TextDataset):
    """kedro-datasets' ``TextDataset`` for HTML; Kedro-Viz shows one section of a page.

    ```yaml
    report:
      type: mnist_kedro.datasets.page_datasets.HTMLDataset
      filepath: data/08_reporting/report.html
      versioned: true
      metadata:
        kedro-viz: {layer: reporting, preview_args: {section: answers}}
    ```
    """

    def preview(self, section: str) -> HTMLPreview:
        """What the section with this id says, without links; nothing if there is none."""
        found = re.search(
            rf'<section id="{re.escape(section)}">(.*?)</section>', self.load(), re.DOTALL
        )
        text = re.sub(r"</?a\b[^>]*>", "", found[1]) if found else ""
        # Kedro-Viz takes it for Markdown, in which indented lines are code.
        return HTMLPreview("\n".join(line.strip() for line in text.splitlines()))
