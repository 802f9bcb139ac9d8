"""Watching, from the ledger to the alarm, on a small model that was trained and a ledger that was written."""

import json
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import modelwright
from modelwright.core.prediction import Outcome, PredictionRecord
from modelwright.flows.monitoring_api import watching_of
from modelwright.flows.watch import Watcher, watch, write_files
from modelwright.registry.ledger import open_ledger
from modelwright.ui.cli import main

DAY = 86_400.0
BEGUN = 1_700_006_400.0 // DAY * DAY
DAYS, BROKEN_FROM = 12, 8


@pytest.fixture(scope="module")
def served(churn_model, churn_csv, make_churn_rows, tmp_path_factory):
    """A ledger of twelve days of the small model; from the ninth on a third of ``tenure`` is missing."""
    folder = tmp_path_factory.mktemp("ledger")
    model = modelwright.load(churn_model.path)
    ledger = open_ledger(folder / "ledger.db")
    rng = np.random.default_rng(0)
    for day in range(DAYS):
        rows = [
            {k: v if isinstance(v, int) else str(v) for k, v in r.items()} for r in make_churn_rows(100, seed=50 + day)
        ]
        truths = [r.pop("churn") for r in rows]
        if day >= BROKEN_FROM:
            for r in rows:
                r["tenure"] = "" if rng.random() < 0.33 else r["tenure"]
        scores = model.package.model.scores_of(rows)
        records = [
            PredictionRecord(
                f"{day:08x}{i:024x}",
                BEGUN + day * DAY + 800 * i,
                "churn",
                "1",
                model.fingerprint,
                row,
                model.labels[int(s[1] >= 0.5)],
                tuple(float(p) for p in s),
            )
            for i, (row, s) in enumerate(zip(rows, scores, strict=True))
        ]
        ledger.append(records)
        known = zip(records, truths, strict=True)
        ledger.add_outcomes([Outcome(r.id, t, r.time + 2 * DAY) for r, t in known if day < DAYS - 2])
    ledger.close()
    options = {"ledger": str(folder / "ledger.db"), "name": "churn", "reference": str(churn_csv)}
    return churn_model.path, options


def after(days):
    return lambda: BEGUN + days * DAY + 3_600


def test_broken_data_is_found_on_its_day_and_told_once(served, tmp_path):
    package, options = served
    watching = watching_of(**options, state=str(tmp_path / "watch.db"), metrics=str(tmp_path / "m.prom"), log=True)
    calm = watch(package, watching, clock=after(BROKEN_FROM))
    assert not any("missing" in a["title"] for a in calm.told["alarms"])
    done = watch(package, watching, clock=after(BROKEN_FROM + 1))
    broken = [a for a in done.told["alarms"] if "Tenure is missing" in a["title"]]
    assert len(broken) == 1
    assert broken[0]["time"] == BEGUN + (BROKEN_FROM + 1) * DAY
    assert broken[0]["columns"][0] == "tenure"
    assert done.told["advice"]["action"] == "repair the data"
    again = watch(package, watching, clock=after(DAYS))
    assert [a["id"] for a in again.told["alarms"] if "Tenure is missing" in a["title"]] == [broken[0]["id"]]
    assert again.told["messages_waiting"] == 0
    assert 'modelwright_alarms_lasting{model="churn"}' in (tmp_path / "m.prom").read_text()
    assert "Tenure is missing" in done.summary(80)


def test_windows_say_what_is_known_and_what_is_awaited(served, tmp_path):
    package, options = served
    told = watch(package, watching_of(**options, state=str(tmp_path / "w.db")), clock=after(DAYS)).told
    assert [w["rows"] for w in told["windows"]] == [100] * DAYS
    assert [w["awaited"] for w in told["windows"]] == [0] * (DAYS - 2) + [100] * 2
    first = told["windows"][0]
    assert first["estimated"]["roc_auc"]["low"] <= first["estimated"]["roc_auc"]["high"]
    assert first["realised"]["roc_auc"]["n_rows"] == 100
    assert {"tenure: missing", "loss: loss"} <= {f["monitor"] for f in told["finds"]}


def test_a_window_is_read_again_only_after_something_came_to_it(served, tmp_path):
    package, options = served
    watching = watching_of(**options, state=str(tmp_path / "w.db"))
    whole = watch(package, watching, clock=after(DAYS)).told
    assert whole["rows_read"] == 100 * DAYS
    again = watch(package, watching, clock=after(DAYS)).told
    assert again["rows_read"] == 0
    kept = {k: v for k, v in again.items() if k not in ("rows_read", "alarms")}
    assert json.dumps(kept) == json.dumps({k: v for k, v in whole.items() if k not in ("rows_read", "alarms")})
    copied = tmp_path / "ledger.db"
    with sqlite3.connect(options["ledger"]) as old, sqlite3.connect(copied) as new:
        old.backup(new)
    late = open_ledger(copied)
    late.add_outcomes([Outcome(f"{DAYS - 1:08x}{0:024x}", "yes", BEGUN + DAYS * DAY)])
    late.close()
    moved = watch(
        package, watching_of(**{**options, "ledger": str(copied)}, state=str(tmp_path / "w.db")), clock=after(DAYS)
    )
    assert moved.told["rows_read"] == 100
    assert moved.told["windows"][-1]["awaited"] == 99


@pytest.mark.server
@pytest.mark.slow
def test_a_ledger_in_postgresql_is_watched_alike_and_two_machines_act_once(
    served, empty_database, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    package, options = served
    here, there = open_ledger(options["ledger"]), open_ledger(empty_database)
    for batch in here.read("churn"):
        there.append([a.record for a in batch])
        there.add_outcomes([a.outcome for a in batch if a.outcome is not None])
    here.close()
    there.close()
    shared = watching_of(**{**options, "ledger": empty_database})
    told = [
        watch(package, watching, clock=after(DAYS)).told for watching in (watching_of(**options, state="0.db"), shared)
    ]
    assert told[0]["alarms"]
    assert json.dumps(told[1]) == json.dumps(told[0])
    watchers = []
    for machine in ("one", "two"):  # each with a folder of its own: nothing but the database is shared
        (tmp_path / machine).mkdir()
        monkeypatch.chdir(tmp_path / machine)
        watchers.append(Watcher(package, shared, after(DAYS)))
    again = [w.look().told for w in watchers]
    for w in watchers:
        w.close()
    assert [a["acted"] for a in again] == [True, False]
    assert [a["rows_read"] for a in again] == [0, 0]
    listed = CliRunner().invoke(main, ["alarms", "--ledger", empty_database, "--json"])
    assert {a["id"] for a in json.loads(listed.output)["alarms"]} == {a["id"] for a in told[1]["alarms"]}


def test_alarms_stand_in_the_order_of_what_they_cost(served, tmp_path):
    package, options = served
    state = str(tmp_path / "w.db")
    told = watch(package, watching_of(**options, state=state, value_of_error=2.0), clock=after(BROKEN_FROM + 1)).told
    lasting = [a for a in told["alarms"] if a["ended"] is None]
    assert lasting
    effects = [a["effect"] for a in lasting]
    assert effects == sorted(effects, reverse=True)
    a_month = 100 * 365.25 / 12
    assert lasting[0]["money"] == pytest.approx(lasting[0]["effect"] * 2.0 * a_month)


def test_of_two_watchers_one_acts(served, tmp_path):
    package, options = served
    watching = watching_of(**options, state=str(tmp_path / "w.db"))
    first = Watcher(package, watching, after(DAYS))
    assert first.look().told["acted"]
    second = watch(package, watching, clock=after(DAYS))
    assert not second.told["acted"]
    assert second.told["windows"]
    first.close()
    assert watch(package, watching, clock=after(DAYS)).told["acted"]


def test_the_command_ends_with_three_while_an_alarm_lasts(served, tmp_path):
    package, options = served
    state = str(tmp_path / "w.db")
    # By now all is long over, so the alarm is made to last by hand.
    watch(package, watching_of(**options, state=state), clock=after(BROKEN_FROM + 1))
    listed = CliRunner().invoke(main, ["alarms", "--state", state, "--json"])
    alarm = next(a for a in json.loads(listed.output)["alarms"] if "missing" in a["title"])
    assert alarm["acknowledged"] is None
    done = CliRunner().invoke(main, ["alarms", "--state", state, "--acknowledge", alarm["id"][:8], "--by", "ada"])
    assert "known to ada" in done.output
    wrong = CliRunner().invoke(main, ["alarms", "--state", state, "--acknowledge", "ffffff"])
    assert wrong.exit_code == 2
    assert "MW601" in wrong.output


def test_a_table_without_the_sealed_rows_is_refused(served, later_csv, tmp_path):
    package, options = served
    with pytest.raises(modelwright.ModelwrightError, match="MW951"):
        watch(package, watching_of(**{**options, "reference": str(later_csv)}, state=str(tmp_path / "w.db")))


def told_names(served, folder):
    """Names of the metrics that a look really tells."""
    package, options = served
    file = folder / "m.prom"
    watch(package, watching_of(**options, state=str(folder / "w.db"), metrics=str(file)), clock=after(DAYS))
    return {line.split("{")[0] for line in file.read_text().splitlines() if not line.startswith("#")}


def test_rules_and_dashboard_are_files_that_parse_and_ask_for_what_is_told(served, tmp_path):
    import yaml

    rules, board = write_files(str(tmp_path))
    names = [r["alert"] for g in yaml.safe_load(Path(rules).read_text())["groups"] for r in g["rules"]]
    assert "ModelNeedsAttention" in names
    asked = [r["expr"] for g in yaml.safe_load(Path(rules).read_text())["groups"] for r in g["rules"]]
    asked += [t["expr"] for p in json.loads(Path(board).read_text())["panels"] for t in p["targets"]]
    assert {name for a in asked for name in re.findall(r"modelwright_\w+", a)} <= told_names(served, tmp_path)
    assert len(json.loads(Path(board).read_text())["panels"]) == 8
