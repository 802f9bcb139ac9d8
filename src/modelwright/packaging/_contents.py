"""Contents: between a package and its files, both held in memory; where files lie is another matter."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Contract
from modelwright.core.errors import InvalidPackage, ModelwrightError
from modelwright.core.evidence import Evidence
from modelwright.core.finding import Finding, Severity
from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.manifest import Manifest
from modelwright.core.metrics import measure
from modelwright.core.state import State
from modelwright.core.task import Task
from modelwright.packaging import _layout as layout
from modelwright.packaging import _shapes as shapes
from modelwright.packaging._json import damaged, dump, dump_dense, parse
from modelwright.packaging._states import fold, unfold
from modelwright.packaging.mlflow_view import views
from modelwright.packaging.package import DOCUMENTS, Golden, Package, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.core.arrays import Array

GOLDEN_ROWS_MAX = 20
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a package but its model, which is still a state."""

    manifest: Manifest
    contract: Contract
    task: Task
    evidence: Evidence
    findings: tuple[Finding, ...]
    golden: Golden
    sealed: Sealed | None
    record: Mapping[str, Any]
    plan: Mapping[str, Any]
    documents: Mapping[str, bytes]
    state: State
    fingerprint: str


def files_of(package: Package) -> tuple[dict[str, bytes], str]:
    """Return a package's files by name, and its fingerprint.

    Raises:
        InvalidPackage: It holds something that cannot travel.
    """
    model = package.model
    folded = fold(model.state())
    files = {
        layout.CONTRACT: dump(model.contract.to_dict()),
        layout.TASK: dump(model.task.to_dict()),
        layout.EVIDENCE: dump_dense(package.evidence.to_dict(), where=layout.EVIDENCE),
        layout.FINDINGS: dump(plain(package.findings)),
        layout.RECORD: dump(plain(package.record)),
        **({layout.PLAN: dump(plain(package.plan))} if package.plan else {}),
        layout.STATE: folded.tree,
        layout.ARRAYS: folded.arrays,
        **{layout.blob(number): content for number, content in enumerate(folded.blobs)},
        layout.GOLDEN: dump(plain(package.golden)),
        **views(model.task, model.contract, package.manifest, package.golden.records),
        **_sound(layout.SEALED, lambda: _sealed_files(package.sealed)),
        **{name: bytes(package.documents[name]) for name in DOCUMENTS if name in package.documents},
    }
    unknown = sorted(set(package.documents) - set(DOCUMENTS))
    if unknown:
        raise InvalidPackage("a package carries known documents only", got=unknown, fix=f"use {DOCUMENTS}")
    digests = _digests(files)
    named = _fingerprint(package.manifest, package.evidence, package.record, digests)
    files[layout.MANIFEST] = dump({"format": layout.FORMAT, "fingerprint": named, **package.manifest.to_dict()})
    files[layout.CHECKSUMS] = dump({**digests, **_digests({layout.MANIFEST: files[layout.MANIFEST]})})
    return files, named


def open_files(files: Mapping[str, bytes]) -> Contents:
    """Return what files hold, believing nothing that can be checked.

    Raises:
        InvalidPackage: A file is missing, altered, unsound, or does not belong to the others.
    """
    digests = _verified(files)
    names = set(files)
    blobs = layout.blobs_of(names)
    state = _sound(
        layout.STATE,
        lambda: unfold(files[layout.STATE], files[layout.ARRAYS], [files[b] for b in blobs], where=layout.STATE),
    )
    manifest, named = _manifest(files)
    task = _made(files, layout.TASK, shapes.TASK, _task)
    contents = Contents(
        manifest=manifest,
        contract=_made(files, layout.CONTRACT, shapes.CONTRACT, Contract.from_dict),
        task=task,
        evidence=_made(files, layout.EVIDENCE, shapes.EVIDENCE, Evidence.from_dict),
        findings=_made(files, layout.FINDINGS, shapes.FINDINGS, _findings),
        golden=_made(files, layout.GOLDEN, shapes.GOLDEN, lambda data: _golden(data, task)),
        sealed=_sealed(files, task),
        record=_made(files, layout.RECORD, shapes.FREE, dict),
        plan=_made(files, layout.PLAN, shapes.FREE, dict) if layout.PLAN in files else {},
        documents={name: files[name] for name in DOCUMENTS if name in files},
        state=state,
        fingerprint=named,
    )
    actual = _sound(layout.MANIFEST, lambda: _fingerprint(manifest, contents.evidence, contents.record, digests))
    if actual != named:
        got = f"{named[:64]} for content whose fingerprint is {actual}"
        raise damaged("a package's fingerprint names its content", where=layout.MANIFEST, got=got)
    return contents


def _fingerprint(manifest: Manifest, evidence: Evidence, record: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """Name the content: files without times by their digests, the others by what they say besides times."""
    files = {name: digest for name, digest in digests.items() if name not in layout.TIMED}
    return fingerprint(
        {
            "format": layout.FORMAT,
            "manifest": manifest.fingerprint,
            "evidence": evidence.fingerprint,
            "record": _untimed(plain(record)),
            "files": files,
        }
    )


def _untimed(data: Any) -> Any:
    """Return plain data without the keys that hold measured times: ``seconds`` and ``…_seconds``."""
    if isinstance(data, dict):
        return {k: _untimed(v) for k, v in data.items() if k != "seconds" and not k.endswith("_seconds")}
    return [_untimed(v) for v in data] if isinstance(data, list) else data


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(files[name]).hexdigest() for name in sorted(files) if name != layout.CHECKSUMS}


def _verified(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the files' digests after comparing them with those written down."""
    written = _made(files, layout.CHECKSUMS, shapes.CHECKSUMS, dict)
    digests = _digests(files)
    for name in sorted(digests.keys() | written.keys()):
        if digests.get(name) != written.get(name):
            state = "altered" if name in digests and name in written else "added" if name in digests else "missing"
            raise damaged("a package's files are as they were written", where=name[:100], got=f"the file is {state}")
    missing = [name for name in layout.NEEDED if name not in files]
    if missing:
        raise damaged("a package has all its files", where=missing[0], got="no such file")
    return digests


def _manifest(files: Mapping[str, bytes]) -> tuple[Manifest, str]:
    data = _made(files, layout.MANIFEST, shapes.MANIFEST, dict)
    return Manifest.from_dict(data), data["fingerprint"]


def _task(data: dict[str, Any]) -> Task:
    task = Task.from_dict(data)
    measure(task.metric, task.kind)
    if len(set(task.labels)) != len(task.labels):
        raise ValueError("a label stands twice")
    for label in task.labels:
        task.answer(label)
    return task


def _findings(data: list[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(**{**one, "severity": Severity(one["severity"]), "columns": tuple(one["columns"])}) for one in data
    )


def _golden(data: dict[str, Any], task: Task) -> Golden:
    records, scores = data["records"], np.asarray(data["scores"], dtype=np.float64)
    if not 1 <= len(records) <= GOLDEN_ROWS_MAX:
        raise ValueError(f"{len(records)} rows, not 1 to {GOLDEN_ROWS_MAX}")
    for record in records:
        if not all(value is None or isinstance(value, str | int | float) for value in record.values()):
            raise TypeError("a value that is no text, number, boolean or null")
    _fit(scores, len(records), task)
    return Golden(tuple(records), scores)


def _fit(scores: Array, n_rows: int, task: Task) -> None:
    """Check that scores have the shape that rows and labels ask for, and are numbers."""
    shape = (n_rows, len(task.labels)) if task.is_classification else (n_rows,)
    if scores.shape != shape or scores.dtype != np.float64:
        raise ValueError(f"scores of shape {scores.shape} and type {scores.dtype} where {shape} of float64 belong")
    if not np.isfinite(scores).all():
        raise ValueError("scores that are not finite")


def _sealed_files(sealed: Sealed | None) -> dict[str, bytes]:
    if sealed is None:
        return {}
    names = np.frombuffer(b"".join(bytes.fromhex(row) for row in sealed.rows), np.uint8).reshape(-1, DIGEST_BYTES)
    arrays: dict[str, Array] = {"rows": names, "target": sealed.target, "scores": sealed.scores}
    if sealed.weight is not None:
        arrays["weight"] = sealed.weight
    if sealed.front is not None:
        arrays["front"] = sealed.front
    folded = fold(State("sealed", arrays=arrays))
    return {layout.SEALED: folded.tree, layout.SEALED_ARRAYS: folded.arrays}


def _sealed(files: Mapping[str, bytes], task: Task) -> Sealed | None:
    if layout.SEALED not in files and layout.SEALED_ARRAYS not in files:
        return None
    sealed: Sealed = _sound(layout.SEALED, lambda: _sealed_from(files, task))
    return sealed


def _sealed_from(files: Mapping[str, bytes], task: Task) -> Sealed:
    state = unfold(files[layout.SEALED], files[layout.SEALED_ARRAYS], (), where=layout.SEALED)
    arrays: dict[str, Any] = dict(state.arrays)
    names, target, scores = arrays.pop("rows"), arrays.pop("target"), arrays.pop("scores")
    weight, n = arrays.pop("weight", None), len(names)
    front = arrays.pop("front", None)
    if arrays or state.kind != "sealed" or names.shape != (n, DIGEST_BYTES) or names.dtype != np.uint8:
        raise ValueError("arrays other than rows, target, scores and weight, or row names of another form")
    _fit(scores, n, task)
    if target.shape != (n,) or target.dtype != (np.int64 if task.is_classification else np.float64):
        raise ValueError(f"a target of shape {target.shape} and type {target.dtype}")
    if task.is_classification and not ((target >= 0) & (target < len(task.labels))).all():
        raise ValueError("a target beyond the labels")
    if weight is not None and (weight.shape != (n,) or weight.dtype != np.float64):
        raise ValueError(f"weights of shape {weight.shape} and type {weight.dtype}")
    wide = len(task.labels) if len(task.labels) > 2 else 1
    if front is not None and (
        front.shape[1:] != (n, wide) or front.dtype != np.float32 or not np.isfinite(front).all()
    ):
        raise ValueError(f"scores of the front of shape {front.shape} and type {front.dtype}")
    return Sealed(tuple(row.tobytes().hex() for row in names), target, scores, weight, front)


def _made(files: Mapping[str, bytes], name: str, shape: Any, make: Callable[[Any], Any]) -> Any:
    """Parse one file, check its shape, and make its value."""
    if name not in files:
        raise damaged("a package has all its files", where=name, got="no such file")

    def value() -> Any:
        data = parse(files[name], where=name)
        shapes.check(data, shape, where=name)
        return make(data)

    return _sound(name, value)


def _sound(where: str, make: Callable[[], Any]) -> Any:
    """Return what ``make`` makes; whatever it stumbles over is the file's fault and said so."""
    try:
        return make()
    except InvalidPackage:
        raise
    except ModelwrightError as error:
        raise damaged(f"{where} holds a sound value: {error.rule}", where=where, got=error.got) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise damaged("a package's files hold sound values", where=where, got=str(error)[:200]) from error
