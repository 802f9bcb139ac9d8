"""Reading a package: nothing in it is believed, run, or used to find anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import IncompatiblePackage, MissingLibrary, ModelwrightError
from modelwright.core.model import Model
from modelwright.packaging import _layout as layout
from modelwright.packaging._contents import open_files
from modelwright.packaging._folder import Folder, shown
from modelwright.packaging._json import REBUILD, damaged, parse
from modelwright.packaging._shapes import check
from modelwright.packaging.package import Package

if TYPE_CHECKING:
    from modelwright.core.catalogue import Catalogue
    from modelwright.core.state import State
    from modelwright.packaging._archive import Archive
    from modelwright.packaging._contents import Contents
    from modelwright.packaging.package import Golden

TOLERANCE = 1e-6
"""How far a replayed score may lie from the packaged one, as a part of the largest packaged score."""


def read(path: str | Path, catalogue: Catalogue, *, replay: bool = True, bytes_max: int = layout.BYTES_MAX) -> Package:
    """Return the package at a path, verified file by file.

    Only files whose names the code knows are opened, parts come from the catalogue alone, and sizes are checked
    before anything is allocated. Digests tell damage, not authors: whoever can write a package can write its
    digests, so compare the fingerprint with one you trust.

    Args:
        path: A package folder, or a package in one file.
        catalogue: The parts that may be restored.
        replay: Whether the golden rows are scored again and compared with their answers.
        bytes_max: Most bytes the package may hold, unpacked.

    Raises:
        InvalidPackage: It is damaged, altered, hostile, too large, or no package.
        IncompatiblePackage: It is sound, but of another format, or does not give its golden answers here.
        MissingLibrary: A part needs a library that is not installed.
    """
    contents = open_files(collect(Path(path), bytes_max=bytes_max))
    model = _model(contents, catalogue)
    if replay:
        _replay(model, contents.golden)
    return Package(
        model=model,
        manifest=contents.manifest,
        evidence=contents.evidence,
        findings=contents.findings,
        golden=contents.golden,
        sealed=contents.sealed,
        record=contents.record,
        plan=contents.plan,
        documents=contents.documents,
        fingerprint=contents.fingerprint,
    )


def collect(path: Path, *, bytes_max: int) -> dict[str, bytes]:
    """Return the files of a package by name, after checking that names and sizes are a package's.

    Raises:
        InvalidPackage: The path holds no package, or more than one.
        IncompatiblePackage: The package is of another format.
    """
    try:
        place = _opened(path)
        try:
            return _files(place, str(path), bytes_max)
        finally:
            place.close()
    except OSError as error:
        fix = "check the path and who may read it"
        raise damaged("a package can be read", where=str(path), got=error.strerror or str(error), fix=fix) from error


def _opened(path: Path) -> Folder | Archive:
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        from modelwright.packaging._archive import Archive

        return Archive(path)
    raise damaged(
        "a package is a folder, or one file",
        where=str(path),
        got="something else" if path.exists() else "nothing there",
        fix="give the path that `modelwright train` printed",
    )


def holds_package(path: Path) -> bool:
    """Return whether there is a package at a path, sound or not: its manifest, and none but a package's files."""
    try:
        place = _opened(path)
        try:
            _check_names(place, str(path), layout.BYTES_MAX)
        finally:
            place.close()
    except (OSError, ModelwrightError):
        return False
    return True


def _files(place: Folder | Archive, where: str, bytes_max: int) -> dict[str, bytes]:
    names = _check_names(place, where, bytes_max)
    for name in names:
        _check_size(place, name, bytes_max)
    total = sum(place.sizes.values())
    if total > bytes_max:
        raise damaged("a package is no larger than allowed", where=where, got=f"{total} bytes", fix=_larger(bytes_max))
    return {name: place.read(name) for name in names}


def _check_names(place: Folder | Archive, where: str, bytes_max: int) -> list[str]:
    """Return the names of a package's files, sorted, after checking that there are no others."""
    names = set(place.sizes)
    if layout.MANIFEST not in names:
        fix = "give the path that `modelwright train` printed"
        raise damaged("a package has a manifest", where=where, got=f"no {layout.MANIFEST}", fix=fix)
    _check_size(place, layout.MANIFEST, bytes_max)
    _check_format(place.read(layout.MANIFEST))
    unknown = sorted(names - layout.FIXED - set(layout.blobs_of(names)))
    if unknown:
        raise damaged(
            "a package holds the files it was written with, under their names",
            where=where,
            got=shown(unknown[0]),
            fix="remove it, if you put it there; otherwise " + REBUILD,
        )
    return sorted(names)


def _check_size(place: Folder | Archive, name: str, bytes_max: int) -> None:
    size, limit = place.sizes[name], min(bytes_max, layout.bytes_max(name))
    if size > limit:
        rule = "a file of a package is no larger than allowed"
        raise damaged(rule, where=name, got=f"{size} bytes", fix=_larger(limit))


def _larger(limit: int) -> str:
    return f"at most {limit} bytes are read; if you trust the package, raise the limit"


def _check_format(manifest: bytes) -> None:
    """Check the format's number before anything else, since another format may differ in all the rest."""
    data = parse(manifest, where=layout.MANIFEST)
    number = data.get("format") if isinstance(data, dict) else None
    if type(number) is not int:
        raise damaged("a manifest says the number of its format", where=layout.MANIFEST, got=repr(number)[:100])
    if number != layout.FORMAT:
        raise IncompatiblePackage(
            f"this version reads packages of format {layout.FORMAT}",
            where=layout.MANIFEST,
            got=f"format {number}, written by modelwright {str(data.get('version'))[:40]}",
            fix="install that version of modelwright, or train the model anew with this one",
        )


def _model(contents: Contents, catalogue: Catalogue) -> Model:
    root = contents.state
    if root.kind != "model" or root.parts.keys() != {"plan", "blend"} or root.arrays or root.blobs:
        raise damaged("a model is a plan, a blend and a threshold", where=layout.STATE, got=root.kind[:40])
    check(root.meta, {"threshold": float}, where=layout.STATE)
    plan, blend = (_restored(root.parts[name], name, catalogue) for name in ("plan", "blend"))
    if not (hasattr(plan, "rows") and hasattr(plan, "matrix") and hasattr(blend, "predict")):
        got = f"{root.parts['plan'].kind[:40]} and {root.parts['blend'].kind[:40]}"
        raise damaged("a plan makes matrices and a blend predicts", where=layout.STATE, got=got)
    return Model(contents.task, contents.contract, plan, blend, float(root.meta["threshold"]))


def _restored(state: State, name: str, catalogue: Catalogue) -> Any:
    """Return the part a state describes; what a part stumbles over is the package's fault."""
    try:
        return catalogue.restore(state)
    except ModelwrightError:
        raise
    except Exception as error:
        got = f"{type(error).__name__}: {error}"[:200]
        raise damaged("a fitted part can be restored from its state", where=f"state, {name}", got=got) from error


def _replay(model: Model, golden: Golden) -> None:
    """Score the golden rows again and compare."""
    try:
        scores = np.asarray(model.scores_of(golden.records), dtype=np.float64)
    except MissingLibrary:
        raise
    except Exception as error:
        got = f"{type(error).__name__}: {error}"[:200]
        raise damaged("a package answers for its golden rows", where=layout.GOLDEN, got=got) from error
    if scores.shape != golden.scores.shape:
        raise damaged(
            "a model gives as many numbers a row as its task has answers",
            where=layout.GOLDEN,
            got=f"shape {scores.shape}, not {golden.scores.shape}",
        )
    allowed = TOLERANCE * float(np.abs(golden.scores).max(initial=0.0))
    apart = np.abs(scores - golden.scores)
    if not (apart <= allowed).all():
        raise IncompatiblePackage(
            "a package gives the answers it gave when it was packaged",
            where=layout.GOLDEN,
            got=f"scores up to {apart.max():.3g} apart, {allowed:.3g} allowed",
            fix="install the versions in its requirements.txt, or train the model anew with these",
        )
