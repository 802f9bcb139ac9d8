"""The final fit: networks are learnt from several starts in time that is left over, and again from the plan."""

import itertools

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.split import How
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.search.final import AGAIN, STARTS, FinalFit
from modelwright.search.problem import Material, Problem
from modelwright.search.repeating import repeat

N = 240
NETWORK = {"rounds": 3, "members": 1, "width": 16, "layers": 1}


def problem() -> Problem:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N)})
    target = ((frame["x"] * frame["z"]).to_numpy() > 0).astype(np.int64)
    contract = Contract((Column("x", Kind.NUMBER), Column("z", Kind.NUMBER)))
    return Problem(frame, target, None, contract, Task(TaskKind.BINARY, "y", "log_loss", ("no", "yes")))


def run_of(budget: float | None, tick: float) -> Run:
    return Run(catalogue(), itertools.count(0.0, tick).__next__, 0.0, budget, None if budget else 1, threads=1)


@pytest.fixture(scope="module")
def found():
    def candidate(name, learner, params, weight):
        return {"name": name, "learner": learner, "params": params, "why": "", "has_rate": False, "clocks": [],
                "weight": weight}  # fmt: skip

    plan = {
        "recipe": Material.prepare(problem()).recipe.to_dict(),
        "folds": {"n_folds": 3, "n_repeats": 1, "holdout": 0.0},
        "candidates": [candidate("network", "neural", NETWORK, 0.5), candidate("linear", "linear", {}, 0.5)],
        "stopped": "",
        "failed": [],
    }
    return repeat(plan, problem(), run_of(None, 0.001), how=How.RANDOM)


def fitted(found, run, **how):
    with FinalFit(found, problem(), run, **how) as final:
        model, rows = final.result(otherwise=None)
    assert rows == "all rows"
    return model, final.clocks


def test_networks_are_learnt_from_several_starts_and_so_again_from_what_was_kept(found):
    model, clocks = fitted(found, run_of(600.0, 0.001), starts=STARTS)
    network, linear = model.blend.members
    assert len(network.networks) == STARTS
    assert [len(c.get(AGAIN, ())) for c in clocks] == [STARTS - 1, 0]
    assert model.blend.weights == pytest.approx([0.5, 0.5])
    again, _ = fitted(found, run_of(None, 0.001), repeated=clocks)
    assert [m.state().fingerprint for m in again.blend.members] == [
        network.state().fingerprint,
        linear.state().fingerprint,
    ]


def test_one_start_is_made_where_no_more_are_wanted_or_no_time_is_left(found):
    assert len(fitted(found, run_of(600.0, 0.001))[0].blend.members[0].networks) == 1
    short = fitted(found, run_of(60.0, 2.0), starts=STARTS)[0].blend.members[0]
    assert len(short.networks) < STARTS
