import pytest

from mnist_kedro.datasets.page_datasets import HTMLDataset, MarkdownDataset


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


def test_shows_one_section_of_a_page(tmp_path):
    dataset = HTMLDataset(filepath=str(tmp_path / "page.html"))
    first = '<section id="a">\n  <h2>A</h2>\n    <p>x <a href="#b">y</a></p>\n</section>'
    page = f'<html>{first}<section id="b">z</section></html>'
    dataset.save(page)
    assert dataset.load() == page
    assert dataset.preview("a").split() == ["<h2>A</h2>", "<p>x", "y</p>"]
    assert "  " not in dataset.preview("a")
    assert dataset.preview("b") == "z"
    assert dataset.preview("c") == ""
