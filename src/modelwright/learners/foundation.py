"""Foundation: TabICL, a pretrained network that answers by reading the training rows beside the asked ones.

Qu et al. (2025), TabICL: a tabular foundation model for in-context learning on large data, ICML. Nothing is learnt
from the lesson but which rows to read. The weights are a file that the user has; nothing is ever downloaded. They
travel in the package as plain arrays, beside the rows, and predicting needs the ``tabicl`` package.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.errors import IncompatiblePackage, InvalidSetting, MissingLibrary
from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.core.state import State
from modelwright.learners._rounds import Yard
from modelwright.learners._settings import read, setting
from modelwright.learners._unfolding import array, positions, real, refuse, whole
from modelwright.learners.constant import Constant, nothing_to_learn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array, Floats, Ints, Singles
    from modelwright.core.matrix import Matrix

ROWS_LEAST = 64
"""Fewer rows are not read, however little time there is."""
PROBE_ROWS = 256
COLUMNS_MAX = 500
TIME_SHARE = 0.5
"""Share of the time left that one prediction of as many rows as the exam has may take."""
UNSEEN = 1e-6
"""Probability of a label that none of the rows read has."""
CONFIG_WHOLE_MAX = 4_096
CHUNK_ROWS = 2_048


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set.

    Attributes:
        weights: File of TabICL weights on this machine: the classifier's or the regressor's, as the task asks.
        views: Shuffled and rescaled views of the rows whose answers are averaged; time grows with them.
        rows: Rows read at most, a seeded sample of more.
    """

    weights: str | None = setting(None)
    views: int = setting(4, 1, 64)
    rows: int = setting(10_000, ROWS_LEAST, 1_000_000)


class FoundationModel:
    """The rows to read and the network that reads them. One prediction at a time: they share the network.

    Args:
        weights: The network's arrays by their own names.
        config: Its shape, as its file says.
        values: Rows read, shape (n_rows, n_columns).
        target: Standardised values, or positions of labels, shape (n_rows,).
        n_classes: Labels, 0 for regression.
        yard: Mean and spread of the target in regression.
        views: See ``Settings``.
        seed: Of the views.
    """

    def __init__(
        self,
        weights: Mapping[str, Array],
        config: Mapping[str, Any],
        values: Singles,
        target: Array,
        *,
        n_classes: int,
        yard: Yard,
        views: int,
        seed: int,
    ) -> None:
        self.weights, self.config = dict(weights), dict(config)
        self.values, self.target, self.n_classes = values, target, n_classes
        self.yard, self.views, self.seed = yard, views, seed
        self._turn = threading.Lock()

    @cached_property
    def _reader(self) -> Any:
        """The package's own estimator, holding the rows; made on first use, for it takes seconds."""
        return _reader(_network(self.weights, self.config), self.values, self.target, self)

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        if matrix.values.shape[1] != self.values.shape[1]:
            refuse("foundation", "a fitted part gets the features it was fitted on", matrix.values.shape[1])
        shape = (matrix.n_rows, self.n_classes) if self.n_classes else (matrix.n_rows,)
        told = np.empty(shape)
        with self._turn:
            for begin in range(0, matrix.n_rows, CHUNK_ROWS):
                part = slice(begin, begin + CHUNK_ROWS)
                told[part] = self._answers(_readable(matrix.values[part]))
        return told

    def _answers(self, values: Singles) -> Floats:
        if not self.n_classes:
            return np.asarray(self._reader.predict(values), dtype=np.float64) * self.yard.spread + self.yard.mean
        told = np.full((len(values), self.n_classes), UNSEEN)
        told[:, self._reader.classes_] = np.clip(self._reader.predict_proba(values), UNSEEN, 1.0)
        return np.asarray(told / told.sum(axis=1, keepdims=True))

    def state(self) -> State:
        """Return the rows, and the network's arrays in the order of their names."""
        names = sorted(self.weights)
        meta = {
            "n_classes": self.n_classes,
            "views": self.views,
            "seed": self.seed,
            "mean": self.yard.mean,
            "spread": self.yard.spread,
            "config": self.config,
            "names": names,
            "version": _major(version("tabicl")),
        }
        arrays = {f"weight_{i}": self.weights[name] for i, name in enumerate(names)}
        missing = np.isnan(self.values)
        own = {"values": np.where(missing, np.float32(0), self.values), "missing": missing, "target": self.target}
        return State("foundation", meta, {**arrays, **own})


class Foundation:
    """Reads training rows with a pretrained network."""

    name: ClassVar[str] = "foundation"
    has_rounds: ClassVar[bool] = False

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Choose the rows to read: as many as are allowed and as can be read in the time there is.

        Row weights become chances to be read, for the network knows none.

        Raises:
            InvalidSetting: No file of weights is named, or it is none, or there are too many columns.
            MissingLibrary: The package is not installed.
        """
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        if len(lesson.matrix.features) > COLUMNS_MAX:
            raise InvalidSetting(
                "a foundation model reads a limited number of columns",
                where="foundation",
                got=f"{len(lesson.matrix.features)} columns, at most {COLUMNS_MAX}",
                fix="leave columns out with --ignore, or leave this learner out",
            )
        weights, config = _weights_of(self.settings.weights, is_regression=not lesson.n_classes)
        wanted = min(self.settings.rows, lesson.matrix.n_rows)
        model = self._model(lesson, weights, config, min(wanted, PROBE_ROWS))
        if wanted > PROBE_ROWS:
            wanted = self._affordable(lesson, model, wanted)
            model = self._model(lesson, weights, config, wanted)
        return model, Curve()

    def _model(self, lesson: Lesson, weights: Any, config: Any, n_rows: int) -> FoundationModel:
        yard, at = Yard.of(lesson), _chosen(lesson, n_rows)
        target = yard.standardise(np.asarray(lesson.target)[at])
        target = target.astype(np.int64 if lesson.n_classes else np.float64)
        values = _readable(lesson.matrix.values[at])
        seed, views = lesson.seed % 2**31, self.settings.views
        return FoundationModel(
            weights, config, values, target, n_classes=lesson.n_classes, yard=yard, views=views, seed=seed
        )

    def _affordable(self, lesson: Lesson, probe: FoundationModel, wanted: int) -> int:
        """Return how many rows can be read in the time left, by the measured time of a few."""
        left = lesson.seconds_left()
        if left == float("inf"):
            return wanted
        few = lesson.matrix.take(np.arange(min(PROBE_ROWS, lesson.matrix.n_rows)))
        probe.predict(few)  # the first one pays for building
        begun = time.monotonic()
        probe.predict(few)
        seconds = time.monotonic() - begun
        n_asked = few.n_rows if lesson.exam is None else lesson.exam.matrix.n_rows
        left = TIME_SHARE * lesson.seconds_left()
        while wanted > ROWS_LEAST and seconds_expected(seconds, few.n_rows + PROBE_ROWS, wanted, n_asked) > left:
            wanted = max(ROWS_LEAST, int(0.8 * wanted))
        return wanted

    @classmethod
    def restore(cls, state: State) -> FoundationModel:
        """Return the model of a state; its network is built on the first prediction.

        Raises:
            IncompatiblePackage: It was written with another major version of the package.
            InvalidPackage: The state is not sound.
            MissingLibrary: The package is not installed.
        """
        n_classes = whole(state, "n_classes", 0, 100_000)
        values = array(state, "values", (None, None)).astype(np.float32)
        values[array(state, "missing", values.shape, kinds="b")] = np.nan
        n_rows = len(values)
        if n_classes == 1 or not n_rows or not 1 <= values.shape[1] <= COLUMNS_MAX:
            refuse("foundation", "rows are there to be read, with labels or values", list(values.shape))
        target = positions(state, "target", n_rows, n_classes) if n_classes else array(state, "target", (n_rows,))
        spread = real(state, "spread")
        if spread <= 0:
            refuse("foundation.spread", "the spread is above zero", spread)
        config, weights = _sound_config(state), _sound_weights(state)
        library, written = _library(), state.meta.get("version")
        if written != _major(version("tabicl")):
            raise IncompatiblePackage(
                "a foundation model is read by the version of its package that wrote it",
                where="tabicl",
                got=f"{library.__name__} {version('tabicl')}, written with {written}",
                fix=f"pip install 'tabicl=={written}.*'",
            )
        own = {"views": whole(state, "views", 1, 64), "seed": whole(state, "seed", 0, 2**31)}
        made = FoundationModel(
            weights, config, values, target, n_classes=n_classes, yard=Yard(real(state, "mean"), spread), **own
        )
        _check_shapes(made)
        return made


def seconds_expected(measured: float, n_measured: int, n_read: int, n_asked: int) -> float:
    """Return about how long a prediction takes.

    Columns are read row by row, and every row looks at each row read, which shows from some thousands on.

    Args:
        measured: Seconds of one prediction.
        n_measured: Rows read and asked in it together, a few hundred.
        n_read: Rows that would be read.
        n_asked: Rows that would be asked.

    >>> seconds_expected(1.0, 512, 512, 512) >= 2.0
    True
    """
    return measured * (n_read + n_asked) / n_measured * (1.0 + n_read / 10_000)


def _library() -> Any:
    try:
        import tabicl
    except ImportError as error:
        raise MissingLibrary(
            "a foundation model needs its library, to learn and to predict",
            where="tabicl",
            got=str(error),
            fix="pip install 'modelwright[foundation]'",
        ) from error
    return tabicl


def _weights_of(path: str | None, *, is_regression: bool) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and the shape that a file holds, read by the package's own loader."""
    file = Path(path or "")
    if not file.is_file():
        raise InvalidSetting(
            "a foundation model needs a file of weights on this machine",
            where="foundation.weights",
            got=path,
            fix="name the TabICL file you have; nothing is downloaded",
        )
    library = _library()
    made = library.TabICLRegressor if is_regression else library.TabICLClassifier
    loader = made(model_path=file, allow_auto_download=False, device="cpu")
    try:
        loader._load_model()
    except Exception as error:  # what a foreign file makes it raise is of many kinds
        raise InvalidSetting(
            "weights are a file that the installed tabicl reads",
            where=str(file),
            got=f"{type(error).__name__}: {error}"[:200],
            fix="take the file that belongs to this version of tabicl",
        ) from error
    config = dict(loader.model_config_)
    if (config.get("max_classes", 10) == 0) != is_regression:
        raise InvalidSetting(
            "classification needs the classifier's weights, regression the regressor's",
            where=str(file),
            got=f"weights for {'regression' if not is_regression else 'classification'}",
            fix="name the other file",
        )
    return {name: part.numpy() for name, part in loader.model_.state_dict().items()}, config


def _network(weights: Mapping[str, Array], config: Mapping[str, Any]) -> Any:
    """Return the package's network with these arrays."""
    import torch
    from tabicl._model.tabicl import TabICL

    network = TabICL(**config)
    network.load_state_dict({name: torch.from_numpy(np.array(part)) for name, part in weights.items()})
    return network.train(mode=False)


def _reader(network: Any, values: Singles, target: Array, model: FoundationModel) -> Any:
    """Return the package's estimator with this network, without any file."""
    library = _library()
    made = library.TabICLClassifier if model.n_classes else library.TabICLRegressor
    reader = made(n_estimators=model.views, random_state=model.seed, allow_auto_download=False)
    reader.model_, reader.model_config_ = network, dict(model.config)
    reader._load_model = _nothing_to_load
    reader.fit(values, target)
    return reader


def _nothing_to_load() -> None:
    """Stand where the package would look for a file: its network is here already."""


def _chosen(lesson: Lesson, n_rows: int) -> Ints:
    """Return the rows to read: all, a seeded sample, or a draw by weight, in which heavy rows come several times."""
    n = lesson.matrix.n_rows
    rng = np.random.default_rng(lesson.seed)
    if lesson.weight is not None:
        ends = np.cumsum(np.asarray(lesson.weight) / np.sum(lesson.weight))
        return np.minimum(np.searchsorted(ends, (np.arange(n_rows) + rng.random()) / n_rows), n - 1)
    return np.arange(n) if n <= n_rows else np.sort(rng.choice(n, n_rows, replace=False))


def _readable(values: Singles) -> Singles:
    """Return values without the far ones whose squares are no numbers any more; missing as they are."""
    return np.clip(values, -1e15, 1e15)


def _major(text: str) -> str:
    return text.partition(".")[0]


def _sound_config(state: State) -> dict[str, Any]:
    """Return the network's shape: known names, plain and moderate values."""
    from tabicl._model.tabicl import TabICL

    config = state.meta.get("config")
    known = set(signature(TabICL.__init__).parameters) - {"self"}
    if not isinstance(config, dict) or not set(config) <= known:
        refuse("foundation.config", "a network's shape has known names", type(config).__name__)
    for name, value in config.items():
        is_moderate = not isinstance(value, int | float) or 0 <= value <= (1e9 if "base" in name else CONFIG_WHOLE_MAX)
        if not isinstance(value, bool | int | float | str | None) or not is_moderate:
            refuse(f"foundation.config.{name}", "a network's shape is plain and moderate", value)
    return config


def _sound_weights(state: State) -> dict[str, Array]:
    names = state.meta.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse("foundation.names", "a network's arrays have names", names)
    found: dict[str, Array] = {}
    for i, name in enumerate(names):
        given = state.arrays.get(f"weight_{i}")
        shape = given.shape if isinstance(given, np.ndarray) else ()
        found[name] = array(state, f"weight_{i}", shape, kinds="fiub")
    return found


def _check_shapes(model: FoundationModel) -> None:
    """Refuse arrays that do not fit the shape, before memory is taken for it."""
    import torch
    from tabicl._model.tabicl import TabICL

    try:
        with torch.device("meta"):
            wanted = {name: tuple(part.shape) for name, part in TabICL(**model.config).state_dict().items()}
    except Exception as error:  # a shape that contradicts itself fails anywhere inside
        refuse("foundation.config", "a network of this shape can be built", f"{type(error).__name__}: {error}"[:200])
    if wanted != {name: part.shape for name, part in model.weights.items()}:
        refuse("foundation", "the arrays of a network fit its shape", f"{len(model.weights)} arrays")
