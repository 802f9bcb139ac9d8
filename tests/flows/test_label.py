"""Outcomes and erasures from the command line, and the tokens' file."""

import json

import pytest
from click.testing import CliRunner

from modelwright.core.errors import InvalidOutcome, InvalidSetting
from modelwright.core.prediction import PredictionRecord, Received
from modelwright.flows.label import erase, label
from modelwright.flows.tokens import listed, make, revoke
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_privacy import Privacy, key_of
from modelwright.ui.cli import main


def ledger_with(folder, predictions):
    privacy = Privacy({"customer": "hash"}, key_of(folder))
    ledger = open_ledger(folder / "ledger.db", privacy)
    rows = [privacy.kept({"customer": f"C-{i}"}) for i in range(len(predictions))]
    ledger.append([PredictionRecord(f"{i:032x}", i, "m", "1", "f" * 32, rows[i], p) for i, p in enumerate(predictions)])
    ledger.close()
    return str(folder / "ledger.db")


def outcomes_of(address):
    ledger = open_ledger(address)
    found = [a.outcome and (a.outcome.value, a.outcome.time) for batch in ledger.read("m") for a in batch]
    ledger.close()
    return found


def written(folder, *lines):
    path = folder / "outcomes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("predictions", "text", "value"),
    [(["yes", "no"], "yes", "yes"), ([1.5, 2.5], "3", 3.0), ([None, 2], "7", 7), ([True, False], "false", False)],
)
def test_outcomes_have_the_type_of_the_predictions(tmp_path, predictions, text, value):
    address = ledger_with(tmp_path, predictions)
    source = written(tmp_path, "prediction_id,churned,time", f"{0:032x},{text},2026-01-02T00:00:00Z", f"{1:032x},,")
    assert label("m", source, ledger=address).received == Received(added=1)
    assert outcomes_of(address) == [(value, 1767312000.0), None]
    assert type(outcomes_of(address)[0][0]) is type(value)


def test_what_is_no_table_of_outcomes_is_refused(tmp_path):
    address = ledger_with(tmp_path, [1.5])
    for lines in (("id,value", "1,2"), ("prediction_id,a,b", "1,2,3"), ("prediction_id,value", f"{0:032x},much")):
        with pytest.raises(InvalidOutcome):
            label("m", written(tmp_path, *lines), ledger=address)
    with pytest.raises(InvalidOutcome, match="recorded"):
        label("other", written(tmp_path, "prediction_id,value", "1,2"), ledger=address)


def test_a_person_is_erased_by_a_value_that_is_hashed(tmp_path):
    address = ledger_with(tmp_path, ["yes"] * 4)
    assert erase("customer", "C-2", ledger=address) == 1
    assert erase("customer", "C-2", ledger=address) == 0
    done = CliRunner().invoke(main, ["erase", "customer", "C-3", "--ledger", address, "--json"])
    assert json.loads(done.output) == {"erased": 1}


def test_tokens_are_made_listed_and_revoked(tmp_path):
    file = str(tmp_path / "tokens.json")
    token = make("shop", ("predict", "label"), file=file, days=1)
    assert token not in (tmp_path / "tokens.json").read_text()
    assert listed(file)[0]["scopes"] == ["predict", "label"]
    with pytest.raises(InvalidSetting, match="own"):
        make("shop", ("predict",), file=file)
    with pytest.raises(InvalidSetting, match="known things"):
        make("x", ("root",), file=file)
    with pytest.raises(InvalidSetting, match="shop"):
        revoke("shp", file=file)
    revoke("shop", file=file)
    assert listed(file) == []
