"""Save Markdown and HTML pages, and preview them in Kedro-Viz."""

import re

from kedro_datasets._typing import HTMLPreview
from kedro_datasets.text import TextDataset


class MarkdownDataset(TextDataset):
    """Extend kedro-datasets' ``TextDataset`` with a preview of Markdown.

    ```yaml
    model_card:
      type: mnist_kedro.datasets.page_datasets.MarkdownDataset
      filepath: data/08_reporting/model_card.md
      versioned: true
    ```
    """

    def preview(self) -> HTMLPreview:
        """Return the text without its YAML header; Kedro-Viz renders it."""
        text = self.load()
        if text.startswith("---\n"):
            _, _, text = text[4:].partition("\n---\n")
        return HTMLPreview(text)


class HTMLDataset(TextDataset):
    """Extend kedro-datasets' ``TextDataset`` with a preview of one section of an HTML page.

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
        """Return the section with this ``id``, without links; an empty page if there is none."""
        match = re.search(
            rf'<section id="{re.escape(section)}">(.*?)</section>', self.load(), re.DOTALL
        )
        text = re.sub(r"</?a\b[^>]*>", "", match[1]) if match else ""
        # Kedro-Viz renders the preview as Markdown, in which indented lines are code.
        return HTMLPreview("\n".join(line.strip() for line in text.splitlines()))
