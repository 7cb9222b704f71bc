import pytest

from mnist_kedro.datasets.markdown_dataset import MarkdownDataset


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("---\nlicense: mit\n---\n\n# Title\n", "\n# Title\n"),
        ("# Title\n\nA line\n---\nand another\n", "# Title\n\nA line\n---\nand another\n"),
        ("no header", "no header"),
    ],
)
def test_shows_the_text_without_its_header(tmp_path, text, shown):
    dataset = MarkdownDataset(filepath=str(tmp_path / "card.md"))
    dataset.save(text)
    assert dataset.load() == text
    assert dataset.preview() == shown
