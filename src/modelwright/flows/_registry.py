"""Which registry a command means: the project's own, or the one of ``MLFLOW_TRACKING_URI``; and who gives it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from modelwright.registry.home import FOLDER, Home
from modelwright.registry.registry import Registry

PROJECT_MARKS = (FOLDER, "modelwright.toml", ".git")
"""What the folder of a project holds; the nearest folder upward with one of these is it."""


def project_folder(start: Path | None = None) -> Path:
    """Return the folder of the project: of ``MODELWRIGHT_PROJECT``, or the nearest with a mark, or the current one."""
    named = os.environ.get("MODELWRIGHT_PROJECT")
    if named:
        return Path(named).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if any((folder / mark).exists() for mark in PROJECT_MARKS):
            return folder
    return here


def home() -> Home:
    """Return where this project's registry is."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
    user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    if user and not token:
        token = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
    return Home(project_folder() / FOLDER, os.environ.get("MLFLOW_TRACKING_URI", "").strip(), token)


def registry() -> Registry:
    """Return this project's registry."""
    return Registry(home())


def person() -> str:
    """Return who acts: ``MODELWRIGHT_USER``, or the user of the operating system."""
    named = os.environ.get("MODELWRIGHT_USER", "").strip()
    if named:
        return named[:100]
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
