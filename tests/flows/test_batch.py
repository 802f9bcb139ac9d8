"""A batch gives the answers of predict, whole files only, and goes on where it was."""

import json
import subprocess
import sys
import time

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

    def die_at_the_second(model, part, target, breaks, coverage):
        if part.name == "part-1.parquet":
            with module.appending(target) as append:
                append(pl.DataFrame({"prediction": ["half"]}))
                raise KeyboardInterrupt
        whole(model, part, target, breaks, coverage)

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


@pytest.fixture
def stored(inputs, bucket):
    """Puts the files of ``inputs`` into a real S3 server, and others beside them."""
    for path in sorted(inputs.iterdir()):
        bucket(f"new/{path.name}", path.read_bytes())
    bucket("new/readme.txt", b"no table")
    bucket("new/older/part-9.parquet", next(inputs.iterdir()).read_bytes())
    return bucket


@pytest.mark.server
@pytest.mark.slow
def test_from_a_store_as_from_here(stored, inputs, churn_model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    batch(churn_model.path, str(inputs), out=tmp_path / "here", coverage=0.8)
    for source in ("s3://rows/new/*.parquet", "s3://rows/new/", "s3://rows/n*/part-?.parquet"):
        out = tmp_path / source.rpartition("rows/")[2].replace("/", "_").replace("*", "x")
        done = batch(churn_model.path, source, out=out, coverage=0.8)
        assert (done.files, done.rows, done.skipped) == (3, 75, 0)
        for path in (tmp_path / "here").glob("*.parquet"):
            assert (out / path.name).read_bytes() == path.read_bytes()
    assert batch(churn_model.path, "s3://rows/new/*.parquet", out=out, coverage=0.8).skipped == 3
    files = module.parts_of("s3://rows/new/part-1.parquet")[0].objects._files
    with files.open_output_stream("rows/new/part-1.parquet") as changed:
        changed.write((inputs / "part-0.parquet").read_bytes())
    assert batch(churn_model.path, "s3://rows/new/*.parquet", out=out, coverage=0.8).skipped == 2
    with pytest.raises(UnwritableOutput, match="another package"):
        batch(churn_model.path, "s3://rows/new/*.parquet", out=out)  # without the intervals it is another answer
    assert batch(churn_model.path, "s3://rows/new/part-1.parquet", out=tmp_path / "one").files == 1


@pytest.mark.server
@pytest.mark.slow
def test_what_a_store_does_not_have_is_explained(stored, churn_model, tmp_path, monkeypatch):
    stored("broken/part-0.parquet", b"PAR1 and no more")
    for source in ("s3://rows/none/*.parquet", "s3://absent/x.parquet", "s3://rows/broken/", "s3://*/x.parquet"):
        with pytest.raises(UnreadableSource):
            batch(churn_model.path, source, out=tmp_path / "out")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreadableSource):
        batch(churn_model.path, "s3://rows/new/*.parquet", out=tmp_path / "out")


@pytest.mark.server
@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(bucket, inputs, churn_model, tmp_path):
    rows = pl.concat([pl.read_parquet(path) for path in inputs.iterdir()])
    many = pl.concat([rows] * 2000)
    many.write_parquet(tmp_path / "many.parquet", row_group_size=20_000)
    for i in range(3):
        bucket(f"big/part-{i}.parquet", (tmp_path / "many.parquet").read_bytes())
    out = tmp_path / "scored"
    command = [sys.executable, "-m", "modelwright.ui", "predict", str(churn_model.path), "s3://rows/big/*.parquet"]
    command += ["--out", f"{out}/", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (out / "part-0.parquet").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.wait()
    whole = [path.name for path in out.glob("*.parquet")]
    assert "part-2.parquet" not in whole
    for name in whole:  # what shows is whole
        assert pl.read_parquet(out / name).height == many.height
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert told["skipped"] in (len(whole) - 1, len(whole))  # killed before it was noted, a part is scored again
    assert {p.name for p in out.iterdir()} == {"batch.json", *(f"part-{i}.parquet" for i in range(3))}
    expected = modelwright.load(churn_model.path).predict(rows).to_list()
    assert pl.read_parquet(out / "part-2.parquet")["prediction"].to_list()[: rows.height] == expected
