"""Add the configuration to the wheel; all other settings are in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfiguration(build_py):
    """Copy ``conf/`` to the package, except ``conf/local/``, which may contain credentials."""

    def run(self) -> None:
        """Copy the modules, then the configuration."""
        super().run()
        source, target = Path("conf"), Path(self.build_lib, "mnist_kedro", "conf")
        if source.is_dir() and not self.editable_mode:  # the web app's image has no conf/
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("local"))
            (target / "local").mkdir()
            (target / "local" / ".gitkeep").touch()  # a wheel cannot contain empty folders


setup(cmdclass={"build_py": BuildWithConfiguration})
