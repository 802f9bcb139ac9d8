"""A pretrained network reads the rows: real architecture, tiny weights made here."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from modelwright.core.errors import IncompatiblePackage, InvalidPackage, InvalidSetting, MissingLibrary
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.core.state import State
from modelwright.learners import contract
from modelwright.learners.foundation import Foundation, seconds_expected

TINY = dict(  # noqa: C408 - it reads as the call it stands for
    embed_dim=16, col_num_blocks=1, col_nhead=2, col_num_inds=8, ff_factor=2, num_quantiles=19,
    row_num_blocks=1, row_nhead=2, row_num_cls=2, icl_num_blocks=2, icl_nhead=2,
)  # fmt: skip
UNFIT = {"one_row_answers_as_in_a_batch", "threads_may_share_it", "it_learns", "weights_matter_by_proportion"}
"""Promises that weights without training, in single precision, cannot keep; looser forms stand below."""


def test_expected_seconds_rise_with_rows():
    few, more = (seconds_expected(0.1, 512, n, 500) for n in (500, 20_000))
    assert more > 20 * few > 0


def test_weights_must_be_a_file_here(tmp_path):
    matrix = Matrix(np.arange(20, dtype=np.float32)[:, None], (Feature("a", "a"),))
    lesson = Lesson(matrix, np.arange(20) % 2, 2)
    for path in (None, str(tmp_path / "absent.ckpt"), str(tmp_path)):
        with pytest.raises(InvalidSetting, match="file of weights"):
            Foundation(weights=path).fit(lesson)
    with pytest.raises(InvalidSetting):
        Foundation(weights=3)


def test_without_its_library_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tabicl", None)
    (tmp_path / "some.ckpt").write_bytes(b"")
    matrix = Matrix(np.arange(20, dtype=np.float32)[:, None], (Feature("a", "a"),))
    with pytest.raises(MissingLibrary, match="tabicl"):
        Foundation(weights=str(tmp_path / "some.ckpt")).fit(Lesson(matrix, np.arange(20) % 2, 2))


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("tabicl", reason="the network is built by its package: pip install 'modelwright[foundation]'")
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(torch, tmp_path_factory):
    """Files of weights by whether they are for classification, in the package's own architecture and format."""
    from tabicl._model.tabicl import TabICL

    folder, made = tmp_path_factory.mktemp("weights"), {}
    draw = torch.Generator().manual_seed(0)
    for is_class in (True, False):
        config = {**TINY, "max_classes": 10 if is_class else 0}
        parts = TabICL(**config).state_dict()
        parts = {
            k: 0.2 * torch.randn(v.shape, generator=draw) if v.is_floating_point() else v for k, v in parts.items()
        }
        made[is_class] = folder / f"{is_class}.ckpt"
        torch.save({"config": config, "state_dict": parts}, made[is_class])
    return made


def learner(weights, n_classes, **settings):
    return Foundation(weights=str(weights[n_classes > 0]), views=2, **settings)


def rows_of(n, *, seed=0, n_columns=4):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_columns)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    return Matrix(values, tuple(Feature(f"f{i}", "f") for i in range(n_columns)))


def lesson_of(n, n_classes, **more):
    matrix = rows_of(n)
    effect = np.nan_to_num(matrix.values[:, 0].astype(np.float64))
    return Lesson(
        matrix, np.argsort(np.argsort(effect)) * n_classes // n if n_classes else 5 + effect, n_classes, **more
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", contract.ALL_KINDS)
def test_it_keeps_the_promises_it_can(weights, kind):
    def make(**settings):
        return learner(weights, contract.N_CLASSES[kind], **settings)

    for check in contract.checks(make, kinds=(kind,)):
        if check.__name__.removesuffix(f"_{kind}") not in {*UNFIT, "unknown_settings_are_refused"}:
            check()


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_a_row_answers_as_in_a_batch_and_after_a_journey(weights, n_classes):
    model, _ = learner(weights, n_classes).fit(lesson_of(120, n_classes))
    new = rows_of(30, seed=1)
    together = model.predict(new)
    alone = np.concatenate([model.predict(new.take(np.array([i]))) for i in range(4)])
    assert np.abs(alone - together[:4]).max() < 1e-4
    again = Foundation.restore(model.state())
    assert np.array_equal(again.predict(new), together)
    assert again.state().fingerprint == model.state().fingerprint


@pytest.mark.slow
def test_the_package_is_whole_without_the_file(weights, tmp_path):
    """The weights travel: the file may go, and no path is kept."""
    copy = tmp_path / "weights.ckpt"
    copy.write_bytes(weights[True].read_bytes())
    model, _ = Foundation(weights=str(copy), views=2).fit(lesson_of(80, 2))
    state = model.state()
    copy.unlink()
    assert str(tmp_path) not in str(dict(state.meta))
    assert Foundation.restore(state).predict(rows_of(3)).shape == (3, 2)


@pytest.mark.slow
def test_heavy_rows_are_read_more_often(weights):
    weight = np.where(np.arange(200) < 20, 50.0, 1.0)
    plain, heavy, doubled = (
        learner(weights, 2).fit(lesson_of(200, 2, weight=w))[0].values for w in (None, weight, 2 * weight)
    )
    light = lesson_of(200, 2).matrix.values[20:]
    assert np.array_equal(heavy, doubled, equal_nan=True)
    n_light = sum(bool((light == row).all(axis=1).any()) for row in heavy)
    assert n_light < 80
    assert len(plain) == 200


@pytest.mark.slow
def test_fewer_rows_are_read_when_time_is_short(weights):
    lesson = lesson_of(1_500, 2)
    exam = Exam(rows_of(300, seed=1), np.zeros(300, dtype=np.int64))
    short, _ = learner(weights, 2).fit(Lesson(lesson.matrix, lesson.target, 2, exam=exam, seconds_left=lambda: 0.05))
    long, _ = learner(weights, 2).fit(Lesson(lesson.matrix, lesson.target, 2, exam=exam, seconds_left=lambda: 1e6))
    assert 64 <= len(short.values) < len(long.values) == 1_500


@pytest.mark.slow
def test_foreign_files_and_the_other_tasks_weights_are_refused(weights, tmp_path):
    (tmp_path / "text.ckpt").write_text("no weights")
    with pytest.raises(InvalidSetting, match="tabicl reads"):
        Foundation(weights=str(tmp_path / "text.ckpt")).fit(lesson_of(60, 2))
    with pytest.raises(InvalidSetting, match="the regressor's"):
        Foundation(weights=str(weights[False])).fit(lesson_of(60, 2))
    wide = rows_of(60, n_columns=501)
    with pytest.raises(InvalidSetting, match="columns"):
        learner(weights, 2).fit(Lesson(wide, np.arange(60) % 2, 2))


@pytest.mark.slow
def test_an_altered_state_is_refused(weights):
    state = learner(weights, 2).fit(lesson_of(60, 2))[0].state()
    config = state.meta["config"]
    for meta in (
        {"config": {**config, "embed_dim": 32}},
        {"config": {**config, "embed_dim": 10**6}},
        {"config": {**config, "no_such": 1}},
        {"config": {**config, "activation": ["x"]}},
        {"names": state.meta["names"][:-1]},
        {"n_classes": 1},
        {"spread": 0.0},
        {"views": 10**6},
    ):
        with pytest.raises(InvalidPackage):
            Foundation.restore(State(state.kind, {**state.meta, **meta}, state.arrays))
    for arrays in ({"weight_0": np.full(3, np.nan)}, {"target": np.full(60, 7)}, {"missing": np.zeros(3, bool)}):
        with pytest.raises(InvalidPackage):
            Foundation.restore(State(state.kind, state.meta, {**state.arrays, **arrays}))
    with pytest.raises(IncompatiblePackage):
        Foundation.restore(State(state.kind, {**state.meta, "version": "1"}, state.arrays))
