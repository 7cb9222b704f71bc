"""Check that a run can save its outputs, before the run starts."""

import tempfile
from pathlib import Path

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import get_protocol_and_path
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError


class OutputHooks:
    """Reject a run that cannot save its outputs, before the first node runs."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Write a temporary file where each output will be saved.

        Raises:
            InputError: if a folder is not writable; the message names the folder and the dataset.
        """
        checked = set()
        for name in sorted(pipeline.all_outputs()):
            # Creating some datasets imports TensorFlow, which takes seconds; the config is enough.
            filepath = catalog.config_resolver.resolve_pattern(name).get("filepath", "memory://")
            protocol, path = get_protocol_and_path(filepath)
            folder = _nearest_folder(Path(path))
            if protocol != "file" or folder in checked:
                continue
            checked.add(folder)
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise InputError(
                    f"{folder}: not writable ({error.strerror}), but '{name}' must be saved there; "
                    "change the permissions, or paths.root in globals.yml."
                ) from error


def _nearest_folder(path: Path) -> Path:
    """Return the nearest existing folder above a path."""
    for folder in path.absolute().parents:
        try:
            if folder.is_dir():
                return folder
        except PermissionError:  # the folder above is not readable
            continue
    return Path("/")
