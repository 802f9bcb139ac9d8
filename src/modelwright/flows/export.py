"""Export: a package becomes an ONNX graph, an MLflow folder, a script that trains it again, or what a cluster runs."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidSetting, MissingLibrary, NotExportable, UnwritableOutput, closest
from modelwright.flows import _deployment as deployment
from modelwright.flows.load import load
from modelwright.flows.resolve import resolve

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.model import Model
    from modelwright.packaging.package import Package

FORMATS = ("onnx", "mlflow", "script", *deployment.FORMS)
TOLERANCE = 1e-6
"""How far a score may lie from the package's, as a part of the largest."""
_LINKS = ("identity", "sigmoid", "softmax")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: Where.
        form: Of ``FORMATS``.
        rows: How many real rows the two were compared on.
        apart: The largest difference of a score; 0.0 where the files are the same.
    """

    path: str
    form: str
    rows: int
    apart: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"path": self.path, "to": self.form, "rows": self.rows, "apart": self.apart}


def export(
    package: str | Path, *, to: str, out: str | Path | None = None, rows: object = None, image: str = ""
) -> Exported:
    """Write a package in another form, after its answers were compared on real rows.

    Args:
        package: A package folder, or a registered name such as ``churn``.
        to: ``onnx``: the graph from the feature matrix to the scores, its columns named in the file's metadata;
            ``mlflow``: a folder that MLflow loads; ``script``: Python that trains the model again and says whether it
            became the same; ``docker``: a folder from which an image of the service is built; ``helm``: a chart,
            ``kserve``: an InferenceService, which run that image.
        out: Where; beside the package when None.
        rows: A table to compare on; the package's golden rows when None.
        image: For ``helm`` and ``kserve``, the repository of the image; the model's name when empty.

    Raises:
        InvalidSetting: No such form.
        NotExportable: A part has no counterpart there, or the answers differ.
        MissingLibrary: ``onnx`` and ``onnxruntime`` are needed.
        UnwritableOutput: Something is there already.
    """
    if to not in FORMATS:
        raise InvalidSetting("a package is exported to a known form", where="--to", got=to, fix=closest(to, FORMATS))
    found = resolve(package)
    beside = Path(found.name) if found.name else found.path  # a registered package's own folder is nobody's to fill
    place = Path(out) if out is not None else beside.with_suffix(".py" if to == "script" else f".{to}")
    if place.exists():
        raise UnwritableOutput("an export takes nobody's place", where=str(place), got="already there", fix="--out")
    predictor = load(package)
    if to in deployment.FORMS:
        deployment.write_deployment(found, predictor.package, to=to, place=place, image=image)
        return Exported(str(place), to, 0, 0.0)
    if to == "mlflow":
        if found.path.is_file():
            got = "a package in one file"
            raise NotExportable(
                "an MLflow folder is made of a folder", where=str(package), got=got, fix="unzip it first"
            )
        shutil.copytree(found.path, place)
        return Exported(str(place), to, len(predictor.package.golden.records), 0.0)
    if to == "script":
        place.write_text(_script(predictor.package), encoding="utf-8")
        return Exported(str(place), to, 0, 0.0)
    matrix, expected = _compared(predictor.package, rows)
    content = _onnx(predictor.package, _names(predictor.package.model))
    apart = float(np.abs(_run(content, matrix).reshape(expected.shape) - expected).max(initial=0.0))
    allowed = TOLERANCE * float(np.abs(expected).max(initial=0.0))
    if not apart <= allowed:
        got = f"scores up to {apart:.3g} apart, {allowed:.3g} allowed"
        raise NotExportable("an export gives the package's answers", where="onnx", got=got, fix="use the package")
    place.write_bytes(content)
    return Exported(str(place), to, len(expected), apart)


def _script(package: Package) -> str:
    """Return Python that repeats the run; values are written as Python writes them, so none can be code."""
    manifest = package.manifest
    options = {k: v for k, v in manifest.options.items() if k != "target"} | {"seed": manifest.seed}
    libraries = ", ".join(f"{name} {number}" for name, number in sorted(manifest.versions.items()))
    arguments = "".join(f"    {name}={value!r},\n" for name, value in options.items() if name.isidentifier())
    is_exact = "effort" in options
    promise = "the same fingerprint" if is_exact else "a model of the same kind: the run was limited by time, not work"
    return _SCRIPT.format(
        version=_bare(manifest.version),
        libraries=_bare(libraries),
        promise=promise,
        source=str(manifest.data["source"]),
        target=str(manifest.options["target"]),
        arguments=arguments,
        fingerprint=package.fingerprint,
    )


def _bare(text: str) -> str:
    """Return a text that cannot end the one it is put into."""
    return text.replace("\\", "").replace('"', "")


_SCRIPT = '''"""Trains the model again.

With modelwright {version} ({libraries})
and the same table it gives {promise}.
"""

import sys

import modelwright

SOURCE = {source!r}
FINGERPRINT = {fingerprint!r}

trained = modelwright.train(
    sys.argv[1] if len(sys.argv) > 1 else SOURCE,
    target={target!r},
    out=sys.argv[2] if len(sys.argv) > 2 else "again.model",
{arguments})
print(trained.summary(100))
is_same = trained.package.fingerprint == FINGERPRINT
print("the same model" if is_same else "another model: " + trained.package.fingerprint)
'''


def _compared(package: Package, rows: object) -> tuple[Any, Floats]:
    """Return the matrix of the rows to compare on, and the package's scores."""
    model = package.model
    if rows is None:
        matrix = model.plan.rows(package.golden.records)
    else:
        from modelwright.data.conforming import conform
        from modelwright.data.reading import read

        matrix = model.plan.matrix(conform(read(rows).frame, model.contract, only_inputs=True).frame)
    return matrix.values, model.blend.predict(matrix)


def _names(model: Model) -> list[str]:
    return [feature.name for feature in model.plan.features]


def _onnx(package: Package, names: list[str]) -> bytes:
    from modelwright.learners.blend import Blend
    from modelwright.learners.tree_nodes import nodes_of
    from modelwright.learners.trees import Trees
    from modelwright.packaging.onnx_view import Member, graph

    model = package.model
    blend = model.blend
    assert isinstance(blend, Blend), "a package holds a blend"
    members = []
    for part, weight in zip(blend.members, blend.weights.tolist(), strict=True):
        if not isinstance(part, Trees) or part.link not in _LINKS:
            got = part.link if isinstance(part, Trees) else type(part).__name__
            fix = "use the package itself: `modelwright serve` or `modelwright predict`"
            raise NotExportable("boosted trees can be told as ONNX", where="blend", got=got, fix=fix)
        members.append(Member(nodes_of(part), part.link, part.n_outputs, weight))
    calibrator = blend.calibrator
    facts = {
        "fingerprint": package.fingerprint,
        "features": json.dumps(names),
        "labels": json.dumps(list(model.task.labels)),
        "threshold": repr(model.threshold),
    }
    calibration = None if calibrator is None else (calibrator.slope, calibrator.offset)
    return graph(members, n_features=len(names), calibration=calibration, facts=facts)


def _run(content: bytes, matrix: Any) -> Floats:
    try:
        import onnxruntime
    except ImportError as error:
        fix = "pip install 'modelwright[onnx]'"
        raise MissingLibrary(
            "an ONNX file is tried with onnxruntime", where="export", got=str(error), fix=fix
        ) from error
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    scores: Floats = session.run(["scores"], {"features": np.ascontiguousarray(matrix)})[0]
    return scores
