"""A small real package, and registries it is kept in."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from modelwright.registry.home import FOLDER, Home
from modelwright.registry.registry import Registry

sys.path.insert(0, str(Path(__file__).parent))

from processes import entry


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A folder that stands for a package: the registry does not look inside."""
    made = tmp_path_factory.mktemp("package") / "churn.model"
    made.mkdir()
    (made / "manifest.json").write_text("{}")
    return made


@pytest.fixture(scope="session")
def first(tmp_path_factory, folder) -> Home:
    """An embedded registry with one version; MLflow takes seconds to make its tables, so it is made once."""
    home = Home(tmp_path_factory.mktemp("project") / FOLDER)
    Registry(home).register("churn", entry(folder))
    return home


@pytest.fixture
def registry(first, tmp_path) -> Registry:
    """A registry of its own, with one version of ``churn``."""
    shutil.copytree(first.folder, tmp_path / FOLDER)
    return Registry(Home(tmp_path / FOLDER))
