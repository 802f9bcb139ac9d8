"""Deployment: a package becomes the recipe of an image, a Helm chart, or a KServe InferenceService."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import UnwritableOutput
from modelwright.packaging.chart import Deployed, chart_files, kserve_files
from modelwright.packaging.image import image_files
from modelwright.service.sources import name_of

if TYPE_CHECKING:
    from modelwright.flows.resolve import Resolved
    from modelwright.packaging.package import Package

FORMS = ("docker", "helm", "kserve")
_MODEL = "model"
"""Of the package beside the recipe; a fixed name, so that none of a stranger's is in a recipe."""


def write_deployment(found: Resolved, package: Package, *, to: str, place: Path, image: str = "") -> None:
    """Write the folder of one of ``FORMS``; it has its name only once it is whole.

    Args:
        found: The package's place, and its name and version where it is registered.
        package: What is deployed.
        to: Of ``FORMS``.
        place: The folder; absent.
        image: The repository of the image that chart and InferenceService run.

    Raises:
        NotExportable: The model has a part whose library is not in the image.
        UnwritableOutput: The folder cannot be written.
    """
    name = found.name or name_of(found.path)
    version = found.version or package.fingerprint[:12]
    deployed = Deployed(name, version, package.fingerprint, image)
    files = (
        image_files(package, name, version)
        if to == "docker"
        else chart_files(deployed)
        if to == "helm"
        else kserve_files(deployed)
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as unfinished:
            draft = Path(unfinished) / "draft"
            draft.mkdir()
            _fill(draft, files, found.path if to == "docker" else None)
            draft.replace(place)
    except OSError as error:
        got = error.strerror or str(error)
        raise UnwritableOutput("an export's folder can be written", where=str(place), got=got, fix="--out") from error


def _fill(draft: Path, files: dict[str, bytes], package: Path | None) -> None:
    for name, content in files.items():
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if package is not None:
        copy = shutil.copytree if package.is_dir() else shutil.copyfile
        copy(package, draft / _MODEL)
        for path in [draft / _MODEL, *(draft / _MODEL).rglob("*")]:
            # Whoever builds need not be whoever serves: the service's user may read, and nobody may write.
            path.chmod(0o755 if path.is_dir() else 0o644)
