"""Diagnose: what limits a model, and what would help, found by fitting its leading member again and again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.evaluation import bias_variance, fitting, label_noise, learning_curve
from modelwright.evaluation.importance import importance
from modelwright.evaluation.metrics import compute, loss
from modelwright.evaluation.pairs import paired
from modelwright.flows._pages import check_page, write_page
from modelwright.flows._refitting import Bench
from modelwright.flows.load import load
from modelwright.learners.constant import ConstantModel
from modelwright.reports import diagnosing, diagnosing_page

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.flows.predictor import Predictor

RESAMPLES, RESAMPLE_ROWS = 8, 5_000
SHARES, REPEATS = (0.12, 0.25, 0.5, 1.0), 3
"""The learning curve's sizes, as shares of the rows to learn from."""
NOISE_FOLDS, NOISE_ROWS = 5, 10_000
WORTHLESS = 0.02
"""Columns are worth leaving out while that costs no more than this share of what the model has over the constant."""
TRIES = 3
SMALLEST_PART = 30


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """What limits a model, in numbers and one sentence each.

    Attributes:
        model: The model.
        facts: Plain data: what ``diagnose --json`` prints.
    """

    model: Predictor
    facts: dict[str, Any]

    def summary(self, width: int) -> str:
        """Return one sentence for each question, for a terminal of this width."""
        return diagnosing.summary(self.facts, width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``diagnose --json`` prints."""
        data: dict[str, Any] = plain(self.facts)
        return data


def diagnose(
    package: str | Path, source: object, run: Run, *, query: str | None = None, page_out: str | Path | None = None
) -> Diagnosed:
    """Diagnose a model on the table it was trained on, or one like it.

    The member with the most weight stands in for the ensemble: what is asked, whether rows, columns or flexibility
    are missing, is a property of the table more than of the member. About thirty fits; on large tables of a seeded
    sample of 20,000 rows.

    Args:
        package: A model package.
        source: Rows with the target. When they hold the package's sealed rows, those judge.
        run: Seed, threads, catalogue; its progress is told.
        query: SQL query, when the source is a database.
        page_out: Where to write a page.

    Raises:
        ModelwrightError: The package, the table or the place of the page is not usable.
    """
    if page_out is not None:
        check_page(page_out)
    loaded = load(package)
    bench = Bench.of(loaded.package, source, run, query=query)
    task = bench.problem.task
    run.say("evaluate", "fit")
    whole = bench.fit(bench.learn, wants_learnt=True)
    facts: dict[str, Any] = {
        "fingerprint": loaded.fingerprint,
        "task": task.kind.value,
        "target": task.target,
        "metric": _metric(bench),
        "member": bench.name,
        "n_learnt": len(bench.learn),
        "n_held": len(bench.held),
        "how": bench.how,
        "fit": _fit(bench, whole.held, whole.learnt),
    }
    run.say("evaluate", "bias and variance")
    facts["bias_variance"] = _bias_variance(bench)
    facts["convergence"] = _convergence(loaded)
    run.say("evaluate", "learning curve")
    facts["learning_curve"] = curve_of(bench)
    run.say("evaluate", "label noise")
    facts["label_noise"] = _label_noise(bench) if task.is_classification else None
    run.say("evaluate", "columns")
    facts["columns"] = _columns(bench, whole.held)
    if page_out is not None:
        write_page(page_out, diagnosing_page.page(facts, Path(package).name))
    return Diagnosed(loaded, facts)


def _metric(bench: Bench) -> str:
    """Return the measure the curve is drawn of: the task's own, or log loss where that depends on a threshold."""
    metric = MEASURES[bench.problem.task.metric]
    return metric.name if metric.reads == "scores" else "log_loss"


def _loss_name(bench: Bench) -> str:
    return "log_loss" if bench.problem.task.is_classification else "mse"


def _constant(bench: Bench) -> Floats:
    """Return the scores of the constant answer for the held rows."""
    p = bench.problem
    learnt = p.target[bench.learn]
    if not p.n_classes:
        answer = np.asarray(float(np.mean(learnt)))
    else:
        counts = np.bincount(np.asarray(learnt, dtype=np.int64), minlength=p.n_classes) + 0.5
        answer = counts / counts.sum()
    return ConstantModel(answer).predict(bench.material.base.take(bench.held))


def _mean_loss(bench: Bench, rows: Any, scores: Floats) -> float:
    return float(loss(bench.problem.task.kind, bench.problem.target[rows], scores).mean())


def _better(bench: Bench, before: Floats, after: Floats) -> Score:
    """Return how much less the second loses than the first, paired."""
    p = bench.problem
    return paired(p.task, p.target[bench.held], before, after, metric=_loss_name(bench))


def _fit(bench: Bench, held: Floats, learnt: Floats | None) -> dict[str, Any]:
    assert learnt is not None, "asked for"
    simpler, richer = _variants(bench)
    gains = [
        None if v is None else _better(bench, held, bench.fit(bench.learn, changes=v).held) for v in (simpler, richer)
    ]
    found = fitting.verdict(
        *gains,
        learnt=_mean_loss(bench, bench.learn, learnt),
        held=_mean_loss(bench, bench.held, held),
        constant=_mean_loss(bench, bench.held, _constant(bench)),
    )
    return {**found, "simpler_with": simpler, "richer_with": richer}


def _variants(bench: Bench) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return parameters of a simpler and a more flexible model of the member's kind."""
    params = bench.params
    if "rounds" in params:
        return {"rounds": max(round(0.4 * params["rounds"]), 1)}, {"rounds": round(2.5 * params["rounds"])}
    match bench.learner:
        case "forest":
            least = params.get("min_leaf") or 2
            return {"min_leaf": 8 * least}, ({"min_leaf": 1} if least > 1 else None)
        case "neighbours":
            count = params.get("neighbours") or 15
            return {"neighbours": min(4 * count, 500)}, {"neighbours": max(count // 4, 1)}
        case "linear":
            return {"penalty": 0.1}, {"penalty": 1e-6}
        case _:
            return None, None


def _bias_variance(bench: Bench) -> dict[str, Any]:
    p = bench.problem
    said = [bench.fit(bench.drawn(i, RESAMPLE_ROWS)).held for i in range(RESAMPLES)]
    target = p.target[bench.held]
    found = bias_variance.decompose(said, target, p.task)
    if p.task.is_classification:
        found["zero_one"] = bias_variance.wrong_answers([s.argmax(axis=1) for s in said], target)
    return found


def _convergence(loaded: Predictor) -> list[dict[str, Any]]:
    """Return each candidate's verdict as it was recorded in training."""
    evidence = loaded.package.evidence
    known = {c["name"]: c for c in evidence.convergence}
    outright = {"verdict": "converged", "best_round": None, "ended": "solved outright"}
    return [
        {"name": c["name"], **{k: known.get(c["name"], outright).get(k) for k in ("verdict", "best_round", "ended")}}
        for c in evidence.leaderboard
    ]


def curve_of(bench: Bench) -> dict[str, Any] | None:
    """Return the learning curve and what twice the rows would bring; None where there are too few rows to tell."""
    p, name = bench.problem, _metric(bench)
    target = p.target[bench.held]
    sizes = [n for n in (round(share * len(bench.learn)) for share in SHARES) if n >= SMALLEST_PART]
    values = []
    for n in sizes:
        fits = [bench.fit(bench.shuffled(i)[:n], with_exam=True).held for i in range(REPEATS)]
        values.append([compute(name, target, held) for held in fits])
    measured = np.array(values)
    if len(sizes) < 3 or not np.isfinite(measured).all():
        return None
    metric = MEASURES[name]
    found = learning_curve.extrapolate(
        np.array(sizes),
        measured,
        greater_is_better=metric.greater_is_better,
        constant=compute(name, target, _constant(bench)),
        seed=bench.run.seed,
    )
    return {"metric": name, **found}


def _label_noise(bench: Bench) -> dict[str, Any]:
    p = bench.problem
    rows = bench.shuffled(99)[:NOISE_ROWS]
    fold = np.arange(len(rows)) % NOISE_FOLDS
    scores = np.zeros((len(rows), p.n_classes))
    for k in range(NOISE_FOLDS):
        scores[fold == k] = bench.fit(rows[fold != k], rows[fold == k]).held
    found = label_noise.estimate(p.target[rows], scores, p.task.labels)
    suspects = [{**s, "row": int(bench.place[rows[s["row"]]])} for s in found["suspects"]]
    return {**found, "suspects": suspects}


def _columns(bench: Bench, full: Floats) -> dict[str, Any]:
    """Return which columns are worth collecting: the rest is left out, refitted, and nothing is lost."""
    p = bench.problem
    whole = bench.fit(bench.learn)
    target = p.target[bench.held]
    ranked = importance(whole.fitted.predict, whole.matrix, target, p.task, seed=bench.run.seed)
    known = [dict(e) for e in ranked if e["column"] in p.contract]
    progress = _mean_loss(bench, bench.held, _constant(bench)) - _mean_loss(bench, bench.held, full)
    weak = [e["column"] for e in known if e["low"] <= 0 or e["value"] < WORTHLESS * known[0]["value"]]
    gap: Score | None = None
    for _ in range(TRIES):
        if not weak or len(weak) == len(known):
            weak = weak[1:]
            continue
        gap = _better(bench, bench.fit(bench.learn, without=weak).held, full)
        if gap.value <= WORTHLESS * max(progress, 0.0) or (
            gap.low <= 0 and gap.value <= 2 * WORTHLESS * max(progress, 0.0)
        ):
            break
        weak, gap = weak[len(weak) // 2 + 1 :], None
    if gap is None:
        weak = []
    return {
        "ranked": known,
        "not_worth": weak,
        "worth": [e["column"] for e in known if e["column"] not in weak],
        "cost_of_leaving_out": None if gap is None else gap.to_dict(),
        "loss": _loss_name(bench),
    }
