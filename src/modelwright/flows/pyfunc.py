"""The door through which MLflow loads a package (``loader_module`` in its ``MLmodel``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.flows.load import load

if TYPE_CHECKING:
    from modelwright.flows.predictor import Predictor


class Served:
    """What MLflow calls: a pandas frame in, a pandas frame of predictions and probabilities out."""

    def __init__(self, model: Predictor) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return ``prediction`` and ``probability_<label>`` columns as a pandas frame; ``params`` has no effect."""
        from modelwright.data.frames import back, to_polars

        frame, _ = to_polars(model_input)
        return back(self._model.scored(frame), "pandas")


def _load_pyfunc(path: str) -> Served:
    """Return the model for MLflow; the name is MLflow's."""
    return Served(load(path))
