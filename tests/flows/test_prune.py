"""Limits on time and size: what is chosen, what it costs, and that the pruned package is whole and honest."""

import numpy as np
import pytest

import modelwright
from modelwright.core.errors import InvalidSetting, OutOfReach
from modelwright.evaluation.metrics import compute
from modelwright.flows.prune import front, front_table


def smallest(entries):
    return min(e["measured_bytes"] for e in entries if e["is_packaged"])


def test_the_front_is_in_the_evidence(churn_model, house_model):
    for trained in (churn_model, house_model):
        entries = trained.to_dict()["front"]
        assert entries[0]["is_delivered"]
        assert sum(e["is_delivered"] for e in entries) == 1
        assert entries[0]["behind"]["value"] == 0
        costs = [e["latency_us"] for e in entries]
        assert costs == sorted(costs, reverse=True)
        assert all(e["is_packaged"] and e["measured_ms"] > 0 and e["measured_bytes"] > 0 for e in entries)
        assert all(abs(sum(m["weight"] for m in e["members"]) - 1) < 1e-9 for e in entries)


def test_a_package_is_pruned_to_a_size(churn_model, tmp_path):
    entries = front(churn_model.path)
    limit = smallest(entries)
    done = modelwright.prune(churn_model.path, size=limit, out=tmp_path / "small.model")
    small = modelwright.load(tmp_path / "small.model")
    assert done.size_bytes[1] <= limit
    assert small.package.manifest.parents["package"] == churn_model.package.fingerprint
    assert "modelwright prune" in small.package.manifest.command
    assert any(note.startswith("Pruned from the package") for note in small.package.evidence.notes)
    assert small.package.documents["report.html"]
    # Its measures are its own, and can be computed again from the sealed rows that it carries.
    sealed = small.package.sealed
    told = compute("roc_auc", sealed.target, sealed.scores)
    assert told == pytest.approx(small.package.evidence.kpis["roc_auc"].value, abs=1e-12)
    chosen = next(e for e in entries if e["measured_bytes"] == limit)
    whole = churn_model.package.evidence.kpis["roc_auc"].value
    assert told - whole == pytest.approx(chosen["sealed_behind"]["value"], abs=1e-6)
    delivered = [e for e in front(tmp_path / "small.model") if e["is_delivered"]]
    assert [e["members"] for e in delivered] == [chosen["members"]]


def test_the_choice_is_the_same_every_time(churn_model, tmp_path):
    made = [
        modelwright.prune(churn_model.path, size=smallest(front(churn_model.path)), out=tmp_path / f"{i}.model")
        for i in range(2)
    ]
    states = {m.package.model.state().fingerprint for m in made}
    assert len(states) == 1


def test_a_limit_out_of_reach_is_refused(churn_model, tmp_path):
    with pytest.raises(OutOfReach) as caught:
        modelwright.prune(churn_model.path, latency="0.001ms", out=tmp_path / "m.model")
    assert "ms" in str(caught.value.got)
    with pytest.raises(InvalidSetting):
        modelwright.prune(churn_model.path, size="little", out=tmp_path / "m.model")
    assert not (tmp_path / "m.model").exists()


def test_training_keeps_to_a_limit_and_tells_the_price(churn_csv, churn_model, tmp_path):
    limit = smallest(churn_model.to_dict()["front"])
    out = str(tmp_path / "small.model")
    trained = modelwright.train(churn_csv, "churn", effort=2, size=2 * limit, out=out, threads=1)
    package = trained.package
    assert package.evidence.kpis["size_mb_disk"].value * 1e6 <= 2 * limit
    assert any(note.startswith("Pruned to") and "price" in note for note in package.evidence.notes)
    assert "Pruned to" in trained.summary(80)
    entries = trained.to_dict()["front"]
    assert not entries[0]["is_packaged"]
    weights = [e["weight"] for e in package.evidence.leaderboard]
    assert sum(weights) == pytest.approx(1.0)
    scores = package.model.scores_of(package.golden.records)
    assert np.allclose(scores, package.golden.scores)


def test_the_front_reads_well(churn_model):
    lines = front_table(front(churn_model.path)).splitlines()
    assert lines[0].startswith("validation")
    assert "(this package)" in lines[1]
