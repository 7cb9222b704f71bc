"""What may import what; docs/architecture.md has the same table."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "src" / "mnist_kedro"
# Each folder, and the folders that it imports besides modules of the package itself.
ALLOWED = {
    "pipelines": {
        *("datasets", "metrics", "models", "networks", "paper", "parameters", "pictures"),
        *("plots", "reports", "sources"),
    },
    "sources": {"metrics", "parameters"},
    "readers": {"pictures"},
    "networks": {"models"},
    "models": {"datasets", "metrics", "networks", "parameters"},
    "metrics": set(),
    "plots": {"metrics", "models", "networks", "parameters", "pictures"},
    "reports": {"datasets", "metrics", "plots"},
    "datasets": {"plots"},
    "pictures": {"sources"},
    "paper": {"models", "pictures"},
    "serving": {"metrics", "pictures"},
    "parameters": {"networks"},
    "hooks": {"datasets", "parameters", "pipelines"},
    "runners": {"datasets"},
}
LEARNED = ("ingestion", "data_processing", "training", "evaluation")
# Each offers a learner some names: read_mnist, datasets, plot functions, typed parameters, and
# arrays that are read from files but indexed like those of NumPy.
NOT_READ = {"sources", "datasets", "plots", "parameters", "arrays.py"}


def module_path(name: str) -> Path | None:
    """Find the file of a module of the package."""
    path = ROOT / "src" / name.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.exists()), None)


def imported(path: Path) -> Iterator[Path]:
    """Yield the files of the package that a file imports, at its top or within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [str(node.module)]
        else:
            continue
        yield from filter(None, (module_path(n) for n in names if n.startswith("mnist_kedro")))


def folder(path: Path) -> str:
    """Return the folder of the package that a file lies in; empty for its own modules."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def reached(start: list[Path], skipped: Collection[str] = ()) -> set[Path]:
    """Follow all imports from some files, but not into the skipped folders."""
    found, waiting = set(), list(start)
    while waiting:
        path = waiting.pop()
        if path not in found and not {folder(path), path.name} & {*skipped}:
            found.add(path)
            waiting += imported(path)
    return found


def learned() -> list[Path]:
    """Return the files of the pipelines that a learner reads, and a network."""
    paths = [path for name in LEARNED for path in (PACKAGE / "pipelines" / name).glob("*.py")]
    return [*paths, PACKAGE / "networks" / "cnn.py", PACKAGE / "models" / "layers.py"]


@pytest.mark.parametrize("name", sorted({folder(path) for path in PACKAGE.rglob("*.py")} - {""}))
def test_a_folder_imports_only_what_it_may(name):
    others = {folder(other) for path in (PACKAGE / name).rglob("*.py") for other in imported(path)}
    assert others - {name, ""} <= ALLOWED[name]


def test_learners_need_neither_serving_nor_exports_runners_or_pictures():
    """Ingestion, data processing, training and evaluation do not import them."""
    files = reached(learned())
    assert PACKAGE / "models" / "fitting.py" in files
    assert {folder(path) for path in files}.isdisjoint(
        {"serving", "runners", "pictures", "reports", "hooks"}
    )
    exports = ("onnx_export", "litert", "saved_model", "saved_model_dataset")
    assert {path.stem for path in files}.isdisjoint(exports)


def test_what_learners_read_is_short():
    """From a digit to the accuracy of the CNN."""
    files = reached(learned(), NOT_READ)
    assert PACKAGE / "models" / "fitting.py" in files
    assert sum(len(path.read_text().splitlines()) for path in files) <= 3000
