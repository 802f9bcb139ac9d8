"""The promises of a learner, as checks that any plug-in runs in its own tests."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidPackage, InvalidSetting
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Fitted, Learner, Lesson
from modelwright.core.state import State
from modelwright.core.task import TaskKind
from modelwright.learners.restoring import restore

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Array, Floats

ALL_KINDS = (TaskKind.BINARY, TaskKind.MULTICLASS, TaskKind.REGRESSION)
N_CLASSES = {TaskKind.BINARY: 2, TaskKind.MULTICLASS: 4, TaskKind.REGRESSION: 0}
CLOSE = 1e-9
N_LEVELS = 6


def checks(make: Callable[[], Learner], *, kinds: tuple[TaskKind, ...] = ALL_KINDS) -> tuple[Callable[[], None], ...]:
    """Return one check per promise and task; each takes nothing and raises AssertionError when broken.

    Args:
        make: Returns a fresh learner, with settings that make it quick.
        kinds: The tasks it is for.

    Use with pytest::

        @pytest.mark.parametrize("check", checks(MyLearner), ids=lambda check: check.__name__)
        def test_it_keeps_the_promises(check):
            check()
    """
    by_task: list[Callable[[], None]] = []
    for kind in kinds:
        for promise in PROMISES:
            bound = partial(promise, _Bench(make, kind))
            update_wrapper(bound, promise)
            bound.__name__ = f"{promise.__name__}_{kind}"  # type: ignore[attr-defined]
            by_task.append(bound)
    refuse = partial(unknown_settings_are_refused, make)
    update_wrapper(refuse, unknown_settings_are_refused)
    return (*by_task, refuse)


@dataclass(frozen=True, slots=True)
class _Bench:
    """A learner to be made and the task it is tried on."""

    make: Callable[[], Learner]
    kind: TaskKind

    @property
    def n_classes(self) -> int:
        """Labels of the task."""
        return N_CLASSES[self.kind]

    def lesson(self, n_rows: int = 150, *, seed: int = 0, n_labels: int | None = None) -> Lesson:
        """Return rows with two numbers, a category, missing values and a target that depends on all."""
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(n_rows, 3)).astype(np.float32)
        values[:, 2] = rng.integers(0, N_LEVELS, n_rows)
        effect = values[:, 0] + (values[:, 2] % 2) + 0.3 * rng.normal(size=n_rows)
        values[rng.random(values.shape) < 0.05] = np.nan
        features = (Feature("a", "a"), Feature("b", "b"), Feature("c", "c", N_LEVELS))
        return Lesson(
            Matrix(values, features), self.target(effect, n_labels or self.n_classes), self.n_classes, seed=seed
        )

    def target(self, effect: Array, n_labels: int) -> Array:
        """Return the effect itself, or its rank cut into labels."""
        if not n_labels:
            return np.asarray(effect, dtype=np.float64)
        return np.asarray(np.argsort(np.argsort(effect)) * n_labels // len(effect), dtype=np.int64)

    def fit(self, lesson: Lesson) -> Fitted:
        """Return what a fresh learner makes of a lesson."""
        return self.make().fit(lesson)[0]

    def sound(self, answer: Floats, n_rows: int) -> None:
        """Assert that answers have the shape and meaning the port asks for."""
        assert answer.dtype == np.float64, "answers are float64"
        assert np.isfinite(answer).all(), "answers are finite"
        if not self.n_classes:
            assert answer.shape == (n_rows,), f"one value per row, got {answer.shape}"
            return
        assert answer.shape == (n_rows, self.n_classes), f"one probability per row and label, got {answer.shape}"
        assert answer.min() >= 0, "probabilities of zero or more"
        assert answer.max() <= 1, "probabilities of at most one"
        assert np.allclose(answer.sum(axis=1), 1.0, atol=1e-9), "probabilities add up to one"


def answers_are_sound(bench: _Bench) -> None:
    """Shape, range and sum are as promised; no rows get no answers; missing values are taken."""
    lesson = bench.lesson()
    fitted = bench.fit(lesson)
    bench.sound(fitted.predict(lesson.matrix), lesson.matrix.n_rows)
    empty = lesson.matrix.take(np.arange(0))
    assert fitted.predict(empty).shape[0] == 0, "no rows, no answers"
    blank = Matrix(np.full_like(lesson.matrix.values[:2], np.nan), lesson.matrix.features)
    bench.sound(fitted.predict(blank), 2)
    huge = Matrix(np.full_like(lesson.matrix.values[:2], 3e38), lesson.matrix.features)
    bench.sound(fitted.predict(huge), 2)


def one_row_answers_as_in_a_batch(bench: _Bench) -> None:
    """A row's answer does not depend on the rows beside it."""
    matrix = bench.lesson().matrix
    fitted = bench.fit(bench.lesson())
    together = fitted.predict(matrix)
    alone = np.concatenate([fitted.predict(matrix.take(np.array([i]))) for i in range(40)])
    assert np.allclose(alone, together[:40], rtol=CLOSE, atol=CLOSE), "one row answers as in a batch"


def the_lesson_is_untouched(bench: _Bench) -> None:
    """Fitting and predicting change nothing they were given."""
    lesson = replace(bench.lesson(), weight=np.linspace(0.5, 1.5, 150))
    before = lesson.matrix.values.copy(), lesson.target.copy(), np.asarray(lesson.weight).copy()
    for part in (lesson.matrix.values, lesson.target, lesson.weight):
        np.asarray(part).flags.writeable = False
    bench.fit(lesson).predict(lesson.matrix)
    for was, part in zip(before, (lesson.matrix.values, lesson.target, lesson.weight), strict=True):
        assert np.array_equal(was, np.asarray(part), equal_nan=True), "the lesson is untouched"


def the_same_lesson_gives_the_same_model(bench: _Bench) -> None:
    """Same seed, same content, to the last bit."""
    first, second = bench.fit(bench.lesson()).state(), bench.fit(bench.lesson()).state()
    assert first.fingerprint == second.fingerprint, "same lesson, same model"


def the_state_is_plain_and_enough(bench: _Bench) -> None:
    """A state holds JSON, numbers and bytes only, and brings back the same answers to the last bit."""
    lesson = bench.lesson()
    fitted = bench.fit(lesson)
    state = _through_plain_data(fitted.state())
    again = restore(state) if state.kind != bench.make().name else type(bench.make()).restore(state)
    assert np.array_equal(again.predict(lesson.matrix), fitted.predict(lesson.matrix)), "the same answers"
    assert again.state().fingerprint == fitted.state().fingerprint, "the same state"


def a_broken_state_is_refused(bench: _Bench) -> None:
    """A state without its contents raises InvalidPackage."""
    kind = bench.fit(bench.lesson()).state().kind
    try:
        type(bench.make()).restore(State(kind))
    except InvalidPackage:
        return
    raise AssertionError("a state without contents is refused")


def weights_matter_by_proportion(bench: _Bench) -> None:
    """Heavier rows pull answers their way; all weights doubled change nothing."""
    lesson = bench.lesson()
    target = np.asarray(lesson.target, dtype=np.float64)
    middle = float(np.median(target))
    weight = np.where(target > middle, 10.0, 1.0)
    plain, pulled, doubled = (
        bench.fit(replace(lesson, weight=w)).predict(lesson.matrix) for w in (np.ones(150), weight, 2 * weight)
    )
    assert np.allclose(pulled, doubled, rtol=1e-6, atol=1e-6), "only proportions of weights count"
    upper = [_mean_above(answer, middle) for answer in (plain, pulled)]
    assert upper[1] > upper[0], "heavier rows pull answers their way"


def labels_without_rows_are_possible(bench: _Bench) -> None:
    """A label of the task may be missing from the lesson."""
    if not bench.n_classes:
        return
    lesson = bench.lesson(n_labels=bench.n_classes - 1)
    if bench.n_classes == 2:
        lesson = replace(lesson, target=np.zeros(150, dtype=np.int64))
    bench.sound(bench.fit(lesson).predict(lesson.matrix), 150)


def tiny_lessons_are_taken(bench: _Bench) -> None:
    """One row, a few rows, one feature, no feature, only missing values, a constant target."""
    for n_rows in (1, 2, 5, 19):
        lesson = bench.lesson(n_rows)
        bench.sound(bench.fit(lesson).predict(lesson.matrix), n_rows)
    lesson = bench.lesson(60)
    for count in (0, 1):
        matrix = Matrix(np.ascontiguousarray(lesson.matrix.values[:, :count]), lesson.matrix.features[:count])
        bench.sound(bench.fit(replace(lesson, matrix=matrix)).predict(matrix), 60)
    blank = Matrix(np.full_like(lesson.matrix.values, np.nan), lesson.matrix.features)
    bench.sound(bench.fit(replace(lesson, matrix=blank)).predict(blank), 60)
    same = replace(lesson, target=np.full_like(lesson.target, lesson.target[0]))
    bench.sound(bench.fit(same).predict(lesson.matrix), 60)


def it_learns(bench: _Bench) -> None:
    """With an exam and without one, answers on new rows are at least as good as the constant's."""
    lesson, new = bench.lesson(400), bench.lesson(200, seed=1)
    exam = bench.lesson(100, seed=2)
    constant = _constant_loss(lesson, new)
    for with_exam in (None, Exam(exam.matrix, exam.target)):
        fitted, curve = bench.make().fit(replace(lesson, exam=with_exam))
        assert _loss(fitted.predict(new.matrix), new.target) <= constant * 1.05, "no worse than the constant"
        assert len(curve.rounds) <= 200, "a curve has at most 200 points"
        assert list(curve.rounds) == sorted(set(curve.rounds)), "the rounds of a curve rise"
        for losses in (curve.fit, curve.valid):
            assert len(losses) in (0, len(curve.rounds)), "one loss per recorded round"


def it_stops_when_time_is_up(bench: _Bench) -> None:
    """Without time left a learner in rounds keeps one round and says why it ended."""
    if not bench.make().has_rounds:
        return
    lesson = replace(bench.lesson(), seconds_left=lambda: -1.0)
    fitted, curve = bench.make().fit(lesson)
    bench.sound(fitted.predict(lesson.matrix), 150)
    assert curve.ended == "time", f"ended by time, got {curve.ended!r}"
    assert curve.best_round == 1, f"one round, got {curve.best_round}"


def threads_may_share_it(bench: _Bench) -> None:
    """Several threads get the same answers from one fitted part, by row and by batch."""
    matrix = bench.lesson().matrix
    fitted = bench.fit(bench.lesson())
    together = fitted.predict(matrix)

    def ask(i: int) -> bool:
        alone = fitted.predict(matrix.take(np.array([i % 150])))[0]
        near = np.allclose(alone, together[i % 150], rtol=CLOSE, atol=CLOSE)
        return near and (i % 10 != 0 or np.array_equal(fitted.predict(matrix), together))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(400))), "threads get the same answers"


def unknown_settings_are_refused(make: Callable[[], Learner]) -> None:
    """A setting that does not exist raises InvalidSetting."""
    try:
        type(make())(no_such_setting=1)  # type: ignore[call-arg]
    except InvalidSetting:
        return
    raise AssertionError("an unknown setting is refused")


PROMISES = (
    answers_are_sound,
    one_row_answers_as_in_a_batch,
    the_lesson_is_untouched,
    the_same_lesson_gives_the_same_model,
    the_state_is_plain_and_enough,
    a_broken_state_is_refused,
    weights_matter_by_proportion,
    labels_without_rows_are_possible,
    tiny_lessons_are_taken,
    it_learns,
    it_stops_when_time_is_up,
    threads_may_share_it,
)


def _through_plain_data(state: State) -> State:
    """Return a state that went through JSON, raw bytes and back."""
    arrays: dict[str, Any] = {}
    for name, array in state.arrays.items():
        assert name.isidentifier(), f"array names are identifiers, got {name!r}"
        assert array.dtype.kind in "biuf", f"arrays are numeric or boolean, got {array.dtype}"
        arrays[name] = np.frombuffer(array.tobytes(), dtype=array.dtype).reshape(array.shape)
    for name, blob in state.blobs.items():
        assert type(blob) is bytes, f"blobs are bytes, got {type(blob).__name__} as {name!r}"
    meta = json.loads(json.dumps(dict(state.meta), allow_nan=False))
    parts = {name: _through_plain_data(part) for name, part in state.parts.items()}
    return State(state.kind, meta, arrays, dict(state.blobs), parts)


def _mean_above(answer: Floats, middle: float) -> float:
    """Return the mean value, or the mean probability of the labels above the middle."""
    return float(answer.mean() if answer.ndim == 1 else answer[:, np.arange(answer.shape[1]) > middle].sum(1).mean())


def _loss(answer: Floats, target: Array) -> float:
    told: Any = target
    if answer.ndim == 1:
        return float(np.mean((answer - told) ** 2))
    return -float(np.mean(np.log(np.clip(answer[np.arange(len(told)), told], 1e-15, 1.0))))


def _constant_loss(lesson: Lesson, new: Lesson) -> float:
    target = np.asarray(lesson.target)
    if not lesson.n_classes:
        return _loss(np.full(new.matrix.n_rows, target.mean()), new.target)
    shares = np.bincount(target, minlength=lesson.n_classes) / len(target)
    return _loss(np.tile(shares, (new.matrix.n_rows, 1)), new.target)
