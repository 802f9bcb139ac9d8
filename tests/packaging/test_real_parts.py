"""The parts that come with modelwright travel in a package: each learner alone, and a blend of them all."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.contract import Column, Contract, Kind, Level, Role
from modelwright.core.errors import ModelwrightError
from modelwright.core.model import Model
from modelwright.core.ports import Exam, Lesson
from modelwright.core.task import Task, TaskKind
from modelwright.features.plan import FeaturePlan, recommend
from modelwright.flows.builtin import LEARNERS as BUILT_IN
from modelwright.flows.builtin import catalogue
from modelwright.learners.blend import Blend
from modelwright.packaging._states import fold, unfold
from modelwright.packaging.package import Golden
from modelwright.packaging.reading import _restored, read
from modelwright.packaging.writing import write

pl = pytest.importorskip("polars")
LEARNERS = sorted(set(BUILT_IN) - {"foundation"})
"""All that learn without a file of weights; that one has tests of its own."""
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]

N_ROWS = 300
CONTRACT = Contract(
    (
        Column("size", Kind.NUMBER, n_rows=N_ROWS, n_missing=20, low=0.0, high=1.0),
        Column("street 🏠", Kind.CATEGORY, levels=(Level("oak", 100), Level("elm", 100), Level("ash", 100))),
        Column("since", Kind.DATETIME, datetime_format="iso"),
        Column("remark", Kind.TEXT),
        Column("answer", Kind.CATEGORY, Role.TARGET),
    )
)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    words = rng.choice(["fine", "broken", "old", "new", "quiet", "loud"], (N_ROWS, 4))
    size = [None if i % 15 == 0 else v for i, v in enumerate(rng.random(N_ROWS).tolist())]
    return pl.DataFrame(
        {
            "size": pl.Series(size, dtype=pl.Float64),
            "street 🏠": rng.choice(["oak", "elm", "ash"], N_ROWS).tolist(),
            "since": (1.5e9 + rng.random(N_ROWS) * 1e8).round().tolist(),
            "remark": [" ".join(w) for w in words],
        }
    )


@pytest.fixture(scope="module")
def plan(frame):
    return FeaturePlan.fit(frame, CONTRACT, recommend(CONTRACT, n_classes=3, n_rows=N_ROWS), seed=0)


def fitted(name: str, plan, frame, n_classes: int):
    rng = np.random.default_rng(1)
    target = rng.integers(0, n_classes, N_ROWS) if n_classes else rng.normal(size=N_ROWS)
    matrix, learnt, kept = plan.matrix(frame), np.arange(0, N_ROWS, 2), np.arange(1, N_ROWS, 2)
    exam = Exam(matrix.take(kept), target[kept])
    return catalogue().find("learner", name)().fit(Lesson(matrix.take(learnt), target[learnt], n_classes, exam=exam))[0]


def packaged(package, plan, blend, frame, n_classes: int):
    """Return a package of the model, and the records that its golden answers belong to."""
    kind = {0: TaskKind.REGRESSION, 2: TaskKind.BINARY}.get(n_classes, TaskKind.MULTICLASS)
    task = Task(kind, "answer", {0: "rmse"}.get(n_classes, "log_loss"), tuple("abcdef"[:n_classes]))
    model = Model(task, CONTRACT, plan, blend)
    dates = frame["since"].cast(pl.Int64) * 1000
    raw = frame.with_columns(since=dates.cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S"))
    golden = Golden(tuple(raw[:20].to_dicts()), model.scores(frame[:20]))
    return replace(package, model=model, golden=golden, sealed=None)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_a_learner_answers_from_its_package_as_it_did(package, plan, frame, tmp_path, name, n_classes):
    blend = Blend([fitted(name, plan, frame, n_classes)], np.ones(1))
    made = packaged(package, plan, blend, frame, n_classes)
    named = write(tmp_path / "m.model", made)
    opened = read(tmp_path / "m.model", catalogue())
    assert opened.fingerprint == named
    assert opened.model.scores(frame) == pytest.approx(made.model.scores(frame), rel=1e-9, abs=1e-12)
    assert write(tmp_path / "copy.model", opened) == named


def test_a_blend_of_all_is_opened_fast(package, plan, frame, tmp_path):
    members = [fitted(name, plan, frame, 3) for name in sorted(LEARNERS)] * 2
    made = packaged(package, plan, Blend(members, np.ones(len(members))), frame, 3)
    write(tmp_path / "m.model", made)
    read(tmp_path / "m.model", catalogue())
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        read(tmp_path / "m.model", catalogue())
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_damage_to_real_parts_ends_in_a_clear_error_or_a_model(package, plan, frame, tmp_path):
    """Digests are made to fit by damaging the state before it is written, so that the parts themselves must notice."""
    members = [fitted(name, plan, frame, 3) for name in sorted(LEARNERS)]
    model = packaged(package, plan, Blend(members, np.ones(len(members))), frame, 3).model
    whole, rng, parts = fold(model.state()), np.random.default_rng(4), catalogue()
    n_refused = 0
    for number in range(120):
        tree, arrays = bytearray(whole.tree), bytearray(whole.arrays)
        damaged = (tree, arrays)[number % 2]
        at = int(rng.integers(0, len(damaged)))
        damaged[at : at + 1] = rng.bytes(1) if number % 2 else rng.choice([b"9", b"-", b"null", b"", b"0.5", b"[]"])
        try:
            state = unfold(bytes(tree), bytes(arrays), whole.blobs, where="state.json")
            for name in ("plan", "blend"):
                _restored(state.parts[name], name, parts)
        except ModelwrightError:
            n_refused += 1
        except KeyError as error:
            assert error.args[0] in ("plan", "blend")  # noqa: PT017 - reading checks these names itself
    assert n_refused > 30
