"""The image: a recipe that builds a service into a container, with everything that it needs but the libraries."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
import zipfile
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from modelwright.core.errors import NotExportable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from modelwright.packaging.package import Package

LIBRARIES_OF = {"foundation": "PyTorch"}
"""Parts that need more to answer than the image holds."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_RECORD = "RECORD"


def image_files(package: Package, name: str, version: str) -> dict[str, bytes]:
    """Return the files of the recipe by name; the package itself goes beside them, into ``model``.

    Args:
        package: What the image serves.
        name: What it is asked under: letters, digits and ``.-_``.
        version: Of the model, for the image's label.

    Raises:
        NotExportable: The model has a part whose library is not in the image.
    """
    _check_parts(package)
    wheel_name, wheel = own_wheel()
    values = {
        "PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
        "NAME": _quoted(name),
        "VERSION": _quoted(version),
        "FINGERPRINT": _quoted(package.fingerprint),
    }
    own = f"./{wheel_name} \\\n    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n"
    return {
        "Dockerfile": filled(recipe("Dockerfile").read_text(encoding="utf-8"), values).encode(),
        ".dockerignore": b"*\n!requirements.txt\n!*.whl\n!model\n",
        "requirements.txt": recipe("requirements.txt").read_bytes() + own.encode(),
        wheel_name: wheel,
    }


def recipe(name: str) -> Traversable:
    """Return one of the texts that recipes are made from."""
    return files("modelwright.packaging").joinpath("recipes", *PurePosixPath(name).parts)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with each ``@NAME@`` replaced once; what is put in is not looked at again."""
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)


def _quoted(text: str) -> str:
    """Return a text as JSON, in which Docker finds no variable to fill in."""
    kept = re.sub(r"[^A-Za-z0-9 ._+-]", "-", text)
    return json.dumps(kept)


def _check_parts(package: Package) -> None:
    def kinds(state: object) -> Iterator[str]:
        yield getattr(state, "kind", "")
        for part in getattr(state, "parts", {}).values():
            yield from kinds(part)

    for kind in kinds(package.model.state()):
        if kind in LIBRARIES_OF:
            got = f"a {kind} part, which needs {LIBRARIES_OF[kind]}"
            fix = "train without it, such as with `--learner lightgbm`"
            raise NotExportable("an image holds the libraries of boosted trees", where="blend", got=got, fix=fix)


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the content of a wheel of this very installation; the same files give the same bytes."""
    own = distribution("modelwright")
    info = f"modelwright-{own.version}.dist-info"
    contents = {f"modelwright/{name}": content for name, content in _sources(files("modelwright"), "")}
    for name in ("METADATA", "entry_points.txt"):
        contents[f"{info}/{name}"] = (own.read_text(name) or "").encode()
    contents[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: modelwright\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in contents.items()]
    contents[f"{info}/{_RECORD}"] = "\n".join([*rows, f"{info}/{_RECORD},,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return f"modelwright-{own.version}-py3-none-any.whl", packed.getvalue()


def _sources(folder: Traversable, within: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name == "__pycache__" or entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _sources(entry, f"{within}{entry.name}/")
        else:
            yield within + entry.name, entry.read_bytes()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
