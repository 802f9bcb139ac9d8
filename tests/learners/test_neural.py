"""The network: learnt by numpy, or by PyTorch on a graphics card, and run by numpy."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage, InvalidSetting, MissingLibrary
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.core.state import State
from modelwright.learners._by_numpy import NumpyPupil, _pull, _views
from modelwright.learners._inputs import BEND, Inputs
from modelwright.learners._network import VECTOR, Network, Shape, start
from modelwright.learners._training import Course, Rows, Schedule, answers_of
from modelwright.learners.contract import checks
from modelwright.learners.neural import Neural, NeuralModel
from modelwright.learners.shaped import Shaped


def rows_of(n: int, *, seed: int = 0) -> Matrix:
    """Two numbers, one of them skewed, a category one-hot and one looked up, some of it missing."""
    rng = np.random.default_rng(seed)
    values = np.column_stack([rng.normal(size=n), np.exp(2 * rng.normal(size=n)), rng.integers(0, 4, n), np.zeros(n)])
    values[:, 3] = rng.integers(0, 30, n)
    values[rng.random(values.shape) < 0.05] = np.nan
    features = (Feature("a", "a"), Feature("b", "b"), Feature("c", "c", 4), Feature("d", "d", 30))
    return Matrix(values.astype(np.float32), features)


def effect_of(matrix: Matrix) -> np.ndarray:
    a, b, c, d = np.nan_to_num(matrix.values.astype(np.float64)).T
    return np.sin(3 * a) + np.log1p(b) + (c % 2) + np.cos(d)


def model_of(n_classes: int, *, seed: int = 0, members: int = 3, starts: int = 1) -> NeuralModel:
    """A network with random weights: what predicts can be judged without PyTorch."""
    matrix, rng = rows_of(400), np.random.default_rng(seed)
    inputs = Inputs.of(matrix, 8)
    n_outputs = n_classes if n_classes > 2 else 1
    shape = Shape(members, 2, 16, int(inputs.n_codes.sum()))
    columns, codes = inputs.columns(matrix.values), inputs.codes(matrix.values)
    networks = []
    for _ in range(starts):
        network = start(shape, columns, codes, np.zeros(n_outputs), rng)
        head = rng.normal(size=network.head.shape)
        named = {k: v.astype(np.float32) for k, v in {**network.named(), "head": head}.items()}
        networks.append(Network.of(named))
    regression = {} if n_classes else {"low": -9.0, "high": 9.0, "mean": 1.0, "spread": 0.5}
    return NeuralModel(inputs, tuple(networks), n_classes, **regression)


@pytest.mark.parametrize("starts", [1, 3])
@pytest.mark.parametrize("n_classes", [0, 2, 5])
def test_a_row_answers_as_in_a_batch_and_after_a_journey(n_classes, starts):
    model, matrix = model_of(n_classes, starts=starts), rows_of(300, seed=1)
    together = model.predict(matrix)
    alone = np.concatenate([model.predict(matrix.take(np.array([i]))) for i in range(50)])
    assert np.allclose(alone, together[:50], rtol=0, atol=1e-12)
    again = Neural.restore(model.state())
    assert np.array_equal(again.predict(matrix), together)
    assert again.state().fingerprint == model.state().fingerprint


@pytest.mark.parametrize("starts", [1, 3])
@pytest.mark.parametrize("n_classes", [0, 2])
def test_one_row_answers_by_the_short_way_as_in_a_batch(n_classes, starts):
    model, matrix = model_of(n_classes, starts=starts), rows_of(60, seed=1)
    assert model.rows_alone
    alone = np.array([model.one(row) for row in matrix.values])
    assert np.allclose(alone, model.predict(matrix), rtol=0, atol=1e-12)
    with pytest.raises(InvalidPackage):
        model.one(matrix.values[0][:-1])


def test_many_labels_have_no_short_way():
    assert not model_of(5).rows_alone


@pytest.mark.parametrize("shape", ["root", "log"])
def test_the_short_way_leads_through_a_shape(shape):
    inner, matrix = model_of(0), rows_of(20, seed=1)
    shaped = Shaped(inner, shape, 2.0, 1.1, 0.0, 30.0)
    assert shaped.rows_alone == inner.rows_alone
    assert np.allclose([shaped.one(row) for row in matrix.values], shaped.predict(matrix), rtol=0, atol=1e-12)


def test_many_rows_are_computed_in_parts(monkeypatch):
    model, matrix = model_of(2), rows_of(300)
    whole = model.predict(matrix)
    monkeypatch.setattr("modelwright.learners._network.CHUNK_CELLS", 16 * 3 * 100)
    assert model.networks[0].chunk_rows() < 300
    assert np.allclose(model.predict(matrix), whole, atol=1e-12)


def test_inputs_are_finite_and_bounded_whatever_comes():
    inputs = Inputs.of(rows_of(400), 8)
    odd = np.full((3, 4), np.nan, dtype=np.float32)
    odd[1:] = [[3e38], [-3e38]]
    shown = inputs.columns(odd)
    assert np.isfinite(shown).all()
    assert np.abs(shown).max() <= BEND
    codes = inputs.codes(odd)
    assert (codes == 30).all(), "what is missing or unknown shares a row of the table"
    assert inputs.codes(rows_of(50).values).max() <= 30


def test_pieces_say_how_far_a_number_has_come():
    matrix = Matrix(np.arange(101, dtype=np.float32)[:, None], (Feature("a", "a"),))
    inputs = Inputs.of(matrix, 4)
    pieces = inputs.columns(matrix.values)[:, 1:]
    assert pieces.shape == (101, 4)
    assert pieces[0].tolist() == [0, 0, 0, 0]
    assert pieces[-1].tolist() == [1, 1, 1, 1]
    assert np.allclose(pieces[50], [1, 1, 0, 0])
    assert (np.diff(pieces.sum(axis=1)) > 0).all()


@pytest.mark.parametrize(
    "change",
    [
        {"gate": np.ones((3, 2), np.float32)},
        {"bias_0": np.ones(16, np.float32)},
        {"weight_0": np.full((2, 16), np.nan, np.float32)},
        {"head": np.ones((3, 16, 7), np.float32)},
        {"table": np.ones((2, VECTOR), np.float32)},
        {"piece_width": np.zeros(16)},
        {"piece_at": np.full(16, 99)},
        {"n_codes": np.array([0])},
        {"n_codes": np.array([2**40])},
        {"code_at": np.array([-1])},
        {"bias_1": np.ones((16, 1), np.float32)},
    ],
)
def test_an_altered_state_is_refused(change):
    state = model_of(2).state()
    with pytest.raises(InvalidPackage):
        Neural.restore(State(state.kind, state.meta, {**state.arrays, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"n_members": 2}, {"n_layers": 3}, {"n_layers": 10**9}, {"n_outputs": 4}, {"n_classes": 3}, {"n_classes": 1},
        {"spread": 0.0}, {"low": 1.0, "high": 0.0}, {"n_features": 1}, {"n_starts": 2}, {"n_starts": 0},
    ],
)  # fmt: skip
def test_an_altered_meta_is_refused(change):
    state = model_of(2).state()
    with pytest.raises(InvalidPackage):
        Neural.restore(State(state.kind, {**state.meta, **change}, state.arrays))


@pytest.mark.parametrize("starts", [1, 2])
@pytest.mark.parametrize("n_classes", [0, 2, 5])
def test_the_graph_answers_alike(n_classes, starts):
    pytest.importorskip("onnx", reason="the graph is written by onnx")
    runtime = pytest.importorskip("onnxruntime", reason="the graph is run by onnxruntime")
    from modelwright.learners.neural_graph import graph

    model, matrix = model_of(n_classes, starts=starts), rows_of(200, seed=2)
    values = np.vstack([matrix.values, np.full((1, 4), np.nan), np.full((1, 4), 3e38)]).astype(np.float32)
    session = runtime.InferenceSession(graph(model), providers=["CPUExecutionProvider"])
    told = session.run(None, {"features": values})[0]
    assert np.abs(told - model.predict(Matrix(values, matrix.features))).max() < 1e-5


def test_a_schedule_runs_to_its_end_whatever_the_time():
    """Steps cost one second, later three: the course still ends at rest, and in time."""
    now = {"t": 0.0}
    schedule = Schedule(lambda: 200.0 - now["t"], 1_000)
    seen = []
    while not schedule.is_over:
        schedule.advance()
        now["t"] += 1.0 if now["t"] < 60 else 3.0
        seen.append(schedule.position)
    assert 150 < now["t"] <= 203
    assert seen == sorted(seen)
    assert schedule.rate < 1e-9
    # No step is a leap: the course slows down, and is not cut off.
    assert np.diff(seen).max() < 0.2


def test_a_schedule_that_was_held_up_at_first_uses_all_that_follows():
    """A tenth of the steps takes more than half of the time; the rest is not learnt at rest."""
    now = {"t": 0.0}
    schedule = Schedule(lambda: 100.0 - now["t"], 1_000)
    rates = []
    while not schedule.is_over:
        schedule.advance()
        now["t"] += 0.6 if schedule.done <= 100 else 0.04
        rates.append(schedule.rate)
    assert schedule.done > 900
    assert now["t"] < 100
    assert np.mean(np.array(rates[200:]) > 0.1) > 0.4


def test_a_schedule_without_a_clock_is_even():
    schedule = Schedule(lambda: float("inf"), 100)
    for step in range(100):
        assert not schedule.is_over
        schedule.advance()
        assert schedule.position == pytest.approx((step + 1) / 100)
    assert schedule.is_over


def test_answers_of_huge_margins_are_probabilities():
    for n_classes, width in ((2, 1), (4, 4)):
        margins = np.random.default_rng(0).normal(size=(3, 20, width)) * 1e5
        told = answers_of(margins, n_classes)
        assert np.isfinite(told).all()
        assert np.allclose(told.sum(axis=1), 1.0)


def test_without_pytorch_a_graphics_card_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    matrix = rows_of(60)
    with pytest.raises(MissingLibrary, match="torch"):
        Neural(device="cuda").fit(Lesson(matrix, effect_of(matrix), 0))


def test_predicting_loads_no_pytorch():
    code = "import sys, modelwright.learners.neural, modelwright.learners._by_numpy; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_settings_are_checked():
    for wrong in ({"members": 0}, {"dropout": 1.0}, {"device": "tpu"}, {"width": 2.5}):
        with pytest.raises(InvalidSetting):
            Neural(**wrong)


@pytest.mark.slow
@pytest.mark.parametrize("starts", [1, 4])
def test_one_row_takes_microseconds(starts):
    """Fifteen numbers and five categories at the default size; the bounds leave room for a busy machine."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2_000, 20)).astype(np.float32)
    values[:, 15:] = rng.integers(0, 30, (2_000, 5))
    matrix = Matrix(values, tuple(Feature(f"f{i}", "f", 30 if i >= 15 else 0) for i in range(20)))
    inputs = Inputs.of(matrix, Neural().settings.pieces)
    s = Neural().settings
    shape = Shape(s.members, s.layers, s.width, int(inputs.n_codes.sum()))
    columns, codes = inputs.columns(values), inputs.codes(values)
    networks = tuple(start(shape, columns, codes, np.zeros(1), rng) for _ in range(starts))
    model = NeuralModel(inputs, networks, 2)
    one, row = matrix.take(np.array([0])), values[0]
    seconds: dict[str, list[float]] = {"as in a batch": [], "alone": []}
    for _ in range(400):
        begun = time.perf_counter()
        model.predict(one)
        between = time.perf_counter()
        model.one(row)
        seconds["as in a batch"].append(between - begun)
        seconds["alone"].append(time.perf_counter() - between)
    told = {way: float(np.percentile(taken, 10)) for way, taken in seconds.items()}
    assert told["as in a batch"] < starts * 400e-6
    assert told["alone"] < 0.9 * told["as in a batch"]


def quick(**settings):
    return Neural(**{"rounds": 15, "members": 3, "width": 32, **settings})


@pytest.mark.slow
@pytest.mark.parametrize("check", checks(quick), ids=lambda check: check.__name__)
def test_it_keeps_the_promises(check):
    check()


def batch_of(matrix: Matrix, n_classes: int, *, weight: bool) -> Rows:
    effect = effect_of(matrix)
    target = np.digitize(effect, np.quantile(effect, np.arange(1, n_classes) / n_classes)) if n_classes else effect
    return Rows(matrix.values, target, np.linspace(0.5, 1.5, len(target)) if weight else None)


@pytest.mark.parametrize("n_classes", [0, 2, 4])
@pytest.mark.parametrize("weight", [False, True])
def test_slopes_are_what_small_steps_show(n_classes, weight):
    model, batch = model_of(n_classes), batch_of(rows_of(60, seed=3), n_classes, weight=weight)
    pupil = NumpyPupil(model.networks[0], model.inputs, Course(n_classes, 1, 60, 0.1, 0.0, 0.0, 0, "cpu", lambda: 1.0))
    pupil.vector, pupil.slope = pupil.vector.astype(np.float64), pupil.slope.astype(np.float64)
    named = model.networks[0].named()
    pupil.parts, pupil.slopes = _views(pupil.vector, named), _views(pupil.slope, named)

    def loss() -> float:
        went = pupil._forward(batch, 0.0)
        return _pull(went.margins, batch, n_classes)[0]

    went = pupil._forward(batch, 0.0)
    pupil._backward(went, _pull(went.margins, batch, n_classes)[1])
    rng, size = np.random.default_rng(0), 1e-5
    for name, part in pupil.parts.items():
        for at in rng.choice(part.size, min(part.size, 6), replace=False):
            place = np.unravel_index(at, part.shape)
            part[place] += size
            above = loss()
            part[place] -= 2 * size
            below = loss()
            part[place] += size
            shown = (above - below) / (2 * size)
            assert pupil.slopes[name][place] == pytest.approx(shown, abs=1e-5 + 1e-3 * abs(shown)), name


@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_pytorch_and_numpy_move_alike(n_classes):
    torch = pytest.importorskip("torch", reason="a graphics card is used by PyTorch: pip install 'modelwright[neural]'")
    from modelwright.learners._by_torch import TorchPupil

    model, batch = model_of(n_classes), batch_of(rows_of(100, seed=3), n_classes, weight=True)
    course = Course(n_classes, 1, 100, 0.1, 0.0, 0.02, 0, "cpu", lambda: 1.0)
    ours = NumpyPupil(model.networks[0], model.inputs, course)
    theirs = TorchPupil(torch, model.networks[0], model.inputs, course)
    schedule = Schedule(lambda: float("inf"), 10)
    made = ours.prepared(batch)
    assert np.array_equal(ours.margins(made), ours.margins(batch)), (
        "inputs are the same when they are made once for all"
    )
    for _ in range(5):
        schedule.advance()
        assert ours.step(batch, schedule) == pytest.approx(theirs.step(batch, schedule), rel=1e-4)
    assert np.abs(ours.margins(batch) - theirs.margins(batch)).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_it_learns_numbers_waves_and_codes(n_classes):
    fit, exam, new = rows_of(1_500), rows_of(400, seed=1), rows_of(500, seed=2)

    def target(matrix):
        effect = effect_of(matrix)
        return (
            np.digitize(effect, np.quantile(effect_of(fit), np.arange(1, n_classes) / n_classes))
            if n_classes
            else effect
        )

    lesson = Lesson(fit, target(fit), n_classes, exam=Exam(exam, target(exam)))
    model, curve = quick(rounds=60, width=64).fit(lesson)
    told, truth = model.predict(new), target(new)
    if n_classes:
        assert (told.argmax(axis=1) == truth).mean() > 0.8
    else:
        assert np.mean((told - truth) ** 2) < 0.15 * truth.var()
        assert told.max() <= truth.max() + np.ptp(target(fit))
    assert min(curve.valid) == curve.valid[curve.rounds.index(curve.best_round)]


def test_a_network_that_runs_away_is_not_kept():
    matrix = rows_of(200)
    target = effect_of(matrix)
    weight = np.ones(200)
    weight[0] = np.nan  # makes every loss no number
    model, _ = quick().fit(Lesson(matrix, target, 0, weight))
    assert np.allclose(model.predict(matrix), target.mean())


def test_inputs_made_once_or_batch_by_batch_are_the_same(monkeypatch):
    matrix = rows_of(300)
    lesson = Lesson(matrix, effect_of(matrix), 0, exam=Exam(rows_of(80, seed=1), effect_of(rows_of(80, seed=1))))
    once = quick().fit(lesson)[0].state()
    monkeypatch.setattr("modelwright.learners._training.HELD_BYTES", 0)
    assert quick().fit(lesson)[0].state().fingerprint == once.fingerprint


def test_it_ends_in_time_and_its_schedule_is_whole():
    matrix = rows_of(3_000)
    ends = time.monotonic() + 1.5
    lesson = Lesson(matrix, effect_of(matrix), 0, seconds_left=lambda: ends - time.monotonic())
    _, curve = Neural(rounds=100_000).fit(lesson)
    assert curve.ended == "time"
    assert time.monotonic() < ends + 0.7


def test_what_was_learnt_from_several_starts_answers_as_their_mean():
    matrix = rows_of(400)
    lesson = Lesson(matrix, (effect_of(matrix) > 1.5).astype(np.int64), 2, seed=3)
    first, second, third = (quick(rounds=3).fit(replace(lesson, seed=seed))[0] for seed in (3, 4, 5))
    together = first.joined(second).joined(third)
    mean = np.mean([one.predict(matrix) for one in (first, second, third)], axis=0)
    assert np.allclose(together.predict(matrix), mean, atol=1e-9)


def test_a_package_of_before_there_were_starts_is_restored():
    state = model_of(2).state()
    old = State(state.kind, {k: v for k, v in state.meta.items() if k != "n_starts"}, state.arrays)
    assert np.array_equal(Neural.restore(old).predict(rows_of(50)), model_of(2).predict(rows_of(50)))


@pytest.mark.slow
def test_noise_ends_it_early():
    """A cycle in which the exam's loss did not fall ends the training."""
    fit, exam = rows_of(500), rows_of(500, seed=1)
    rng = np.random.default_rng(0)
    lesson = Lesson(fit, rng.integers(0, 2, 500), 2, exam=Exam(exam, rng.integers(0, 2, 500)))
    _, curve = quick(rounds=200).fit(lesson)
    assert curve.ended == "patience"
    assert curve.rounds[-1] < 150
