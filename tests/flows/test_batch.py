"""A batch gives the answers of predict, whole files only, and goes on where it was."""

import json

import polars as pl
import pytest

import modelwright
from modelwright.core.errors import UnreadableSource, UnwritableOutput
from modelwright.flows import batch as module
from modelwright.flows.batch import batch

pytest.importorskip("pyarrow")


@pytest.fixture
def inputs(later_csv, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    rows = pl.read_csv(later_csv, infer_schema=False).drop("churn")
    for i in range(3):
        rows.slice(25 * i, 25).write_parquet(folder / f"part-{i}.parquet")
    return folder


def test_the_answers_are_those_of_predict(inputs, churn_model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    done = batch(churn_model.path, str(inputs / "*.parquet"), out=tmp_path / "out")
    assert (done.files, done.rows, done.skipped) == (3, 75, 0)
    scored = pl.read_parquet(tmp_path / "out" / "part-1.parquet")
    rows = pl.read_parquet(inputs / "part-1.parquet")
    assert scored["prediction"].to_list() == modelwright.load(churn_model.path).predict(rows).to_list()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "batch.json",
        *(f"part-{i}.parquet" for i in range(3)),
    ]


def test_a_run_that_was_interrupted_goes_on_and_shows_nothing_half(inputs, churn_model, tmp_path, monkeypatch):
    out = tmp_path / "out"
    whole = module._score

    def die_at_the_second(model, part, target, breaks):
        if part.path.name == "part-1.parquet":
            with module.appending(target) as append:
                append(pl.DataFrame({"prediction": ["half"]}))
                raise KeyboardInterrupt
        whole(model, part, target, breaks)

    monkeypatch.setattr(module, "_score", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        batch(churn_model.path, str(inputs), out=out)
    assert sorted(p.name for p in out.iterdir()) == ["batch.json", "part-0.parquet"]
    monkeypatch.undo()
    assert batch(churn_model.path, str(inputs), out=out).skipped == 1
    assert batch(churn_model.path, str(inputs), out=out).skipped == 3
    pl.read_parquet(inputs / "part-2.parquet").head(5).write_parquet(inputs / "part-2.parquet")
    assert batch(churn_model.path, str(inputs), out=out).skipped == 2  # an input that changed is scored again
    assert pl.read_parquet(out / "part-2.parquet").height == 5


def test_a_folder_of_others_is_left_alone(inputs, churn_model, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("x")
    with pytest.raises(UnwritableOutput):
        batch(churn_model.path, str(inputs), out=out)
    (out / "mine.txt").unlink()
    (out / "batch.json").write_text(json.dumps({"fingerprint": "another", "done": {}}))
    with pytest.raises(UnwritableOutput, match="another package"):
        batch(churn_model.path, str(inputs), out=out)
    with pytest.raises(UnreadableSource):
        batch(churn_model.path, str(out), out=tmp_path / "x")
