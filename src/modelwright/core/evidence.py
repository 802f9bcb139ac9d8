"""Evidence: everything measured about one model on rows it had not seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.score import Score

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a model, all of it plain data, so that reports only draw.

    Attributes:
        kpis: The measures of the role that apply, by name.
        baselines: ``constant`` and ``lightgbm_default``: their measures on the same rows, by name, and under
            ``verdict`` one sentence: is a model worth having here at all.
        leaderboard: One entry per candidate, best first: ``name``, ``learner``, ``score`` (validation),
            ``low``, ``high``, ``weight`` (in the ensemble), ``tied`` (with the best), ``fit_seconds``,
            ``folds``, ``rounds``.
        importance: One entry per input column, most important first: ``column``, ``value``, ``low``, ``high``
            (rise of the loss when the column is shuffled), ``unit``.
        convergence: One entry per candidate that has rounds: ``name``, ``verdict`` (``converged``, ``stopped
            early``, ``still improving``), ``rounds``, ``metric``, ``fit``, ``valid`` (curves).
        bias_variance: ``loss``, ``bias``, ``variance``, ``noise_included``, ``n_resamples``, ``n_rows``,
            ``sentence``.
        figures: Data of the charts: ``confusion``, ``roc``, ``precision_recall``, ``calibration``,
            ``residuals``, ``distribution``, whichever apply.
        timing: ``train``, ``preprocess`` in seconds, and what is measured of inference.
        notes: Sentences a reader must not miss.
        front: What of the score quicker and smaller models keep, the whole ensemble first. Each entry: ``members``
            (``name``, ``learner``, ``weight``, ``share`` of its trees), ``trees``, ``score`` (validation) and
            ``behind`` (paired, the ensemble's taken off), ``latency_us`` and ``size_bytes`` (reckoned),
            ``calibrator``, ``threshold``, ``is_delivered``; and for those whose members are in the package
            ``kpis``, ``baselines``, ``sealed_behind`` (sealed rows), ``measured_ms`` and ``measured_bytes``.
        explanation: Why it answers as it does, of the sealed rows: ``space``, ``focus``, ``importance`` (``moves``),
            ``shapes``, ``cases`` (the highest and the lowest answers), ``robustness``, ``slices``; as ``explain``
            tells it. Empty where time was too short, and in packages of before.
    """

    kpis: Mapping[str, Score]
    baselines: Mapping[str, Any] = field(default_factory=dict)
    leaderboard: tuple[Mapping[str, Any], ...] = ()
    importance: tuple[Mapping[str, Any], ...] = ()
    convergence: tuple[Mapping[str, Any], ...] = ()
    bias_variance: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    front: tuple[Mapping[str, Any], ...] = ()
    explanation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Names everything but the measured times."""
        data = self.to_dict()
        timed = {"s", "ms", "us", "rows/s"}
        data["kpis"] = {k: v for k, v in data["kpis"].items() if v["unit"] not in timed}
        data["leaderboard"] = [{k: v for k, v in e.items() if not k.endswith("seconds")} for e in data["leaderboard"]]
        front = [{k: v for k, v in e.items() if k != "measured_ms"} for e in data.pop("front")]
        data |= {"front": front} if front else {}  # older packages have none, and keep their fingerprints
        del data["timing"]
        return fingerprint(data)

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as plain data."""
        data: dict[str, Any] = {name: plain(getattr(self, name)) for name in self.__slots__ if name != "kpis"}
        if not self.explanation:
            del data["explanation"]
        return {"kpis": {k: s.to_dict() for k, s in self.kpis.items()}, **data}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Evidence:
        """Return the evidence that ``to_dict`` wrote."""
        kpis = scores_of(data["kpis"])
        lists: dict[str, Any] = {k: tuple(data[k]) for k in ("leaderboard", "importance", "convergence", "notes")}
        rest: dict[str, Any] = {k: data[k] for k in ("baselines", "bias_variance", "figures", "timing")}
        rest |= {"front": tuple(data.get("front", ())), "explanation": data.get("explanation", {})}
        return cls(kpis=kpis, **lists, **rest)


def scores_of(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Score]:
    """Return the measures that were written as plain data, by name."""
    kpis = {}
    for name, s in data.items():
        # JSON has no word for NaN or infinity: beside a value, a missing end was infinite.
        ends = ("nan", "nan", "nan") if s["value"] is None else ("nan", "-inf", "inf")
        numbers = {
            k: float(end) if s[k] is None else s[k] for k, end in zip(("value", "low", "high"), ends, strict=True)
        }
        kpis[name] = Score(name, n_rows=s["n_rows"], unit=s["unit"], method=s["method"], note=s["note"], **numbers)
    return kpis
