"""Whatever is given: a handled result, or an error of four parts; never a traceback, never half a package."""

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright import ModelwrightError


def fails(tmp_path: Path, source: object, target: str = "y", **settings: object) -> ModelwrightError:
    out = tmp_path / "m.model"
    with pytest.raises(ModelwrightError) as caught:
        modelwright.train(source, target=target, effort=1, threads=1, out=str(out), **settings)
    error = caught.value
    assert error.rule
    assert error.where or error.got is not None
    assert error.fix
    assert not out.exists()
    return error


def trains(tmp_path: Path, source: object, target: str = "y", **settings: object):
    trained = modelwright.train(source, target=target, effort=1, threads=1, out=str(tmp_path / "m.model"), **settings)
    assert trained.package.evidence.kpis
    return trained


def text(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(n: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pl.DataFrame({"x": x, "z": rng.choice(["a", "b"], n), "y": np.where(x + rng.normal(size=n) > 0, "p", "q")})


def test_a_missing_file(tmp_path):
    assert fails(tmp_path, tmp_path / "no.csv").code == "MW101"


def test_an_empty_file(tmp_path):
    assert fails(tmp_path, text(tmp_path, "")).code == "MW102"


def test_a_header_only(tmp_path):
    assert fails(tmp_path, text(tmp_path, "x,y\n")).code == "MW102"


def test_ragged_rows(tmp_path):
    error = fails(tmp_path, text(tmp_path, "x,y\n1,a\n2,b,c\n3,a\n"))
    assert error.code == "MW103"
    assert "3" in str(error)


def test_duplicate_column_names(tmp_path):
    error = fails(tmp_path, text(tmp_path, "x,x,y\n1,2,a\n"))
    assert error.code == "MW103"
    assert "x" in str(error)


def test_rubbish_bytes(tmp_path):
    fails(tmp_path, text(tmp_path, bytes(range(256)) * 40))


def test_latin_1_is_read(tmp_path):
    lines = "".join(f"{i},{'café' if i % 2 else 'thé'},{'oui' if i % 3 else 'non'}\n" for i in range(60))
    trained = trains(tmp_path, text(tmp_path, f"x,boisson,y\n{lines}".encode("latin-1")))
    levels = {v.value for v in trained.package.model.contract.column("boisson").levels}
    assert levels == {"café", "thé"}


def test_a_target_that_is_missing(tmp_path):
    error = fails(tmp_path, rows(), target="Y")
    assert error.code == "MW203"
    assert "'y'" in error.fix


@pytest.mark.parametrize("values", [["a"] * 60, [None] * 60, [f"v{i}" for i in range(60)]])
def test_a_target_that_cannot_be_learnt(tmp_path, values):
    fails(tmp_path, rows().with_columns(y=pl.Series(values, dtype=pl.String)))


def test_a_constant_number_as_target(tmp_path):
    fails(tmp_path, rows().with_columns(y=pl.lit(3.5)))


def test_a_class_with_a_single_row(tmp_path):
    frame = rows().with_columns(y=pl.Series(["p"] * 30 + ["q"] * 29 + ["rare"]))
    try:
        trained = trains(tmp_path, frame)
    except ModelwrightError as error:
        assert "rare" in str(error)  # noqa: PT017 - both ends are right, neither is silent
    else:
        assert "rare" in trained.model.labels


@pytest.mark.parametrize("n", [1, 2, 3])
def test_hardly_any_rows(tmp_path, n):
    fails(tmp_path, rows().head(n))


def test_a_dozen_rows(tmp_path):
    frame = rows().sort("y").gather_every(5)
    trains(tmp_path, frame)


@pytest.mark.parametrize("columns", [["y"], ["y", "name"], ["y", "same"]])
def test_no_column_to_learn_from(tmp_path, columns):
    frame = rows().with_columns(name=pl.Series([f"C-{i:07d}" for i in range(60)]), same=pl.lit("x"))
    assert fails(tmp_path, frame.select(columns)).code == "MW301"


@pytest.mark.slow
def test_five_thousand_columns(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 5000))
    frame = pl.DataFrame(x, schema=[f"c{i}" for i in range(5000)]).with_columns(
        y=pl.Series(np.where(x[:, 7] > 0, "p", "q"))
    )
    trained = trains(tmp_path, frame)
    assert (Path(trained.path) / "report.html").stat().st_size < 1_000_000


def test_infinite_and_huge_values(tmp_path):
    frame = rows().with_columns(
        big=pl.Series([1e308, -1e308, float("inf"), float("-inf"), float("nan"), 1.0] * 10),
        whole=pl.Series([2**63 - 1, -(2**63), 0, 1, 2, None] * 10),
    )
    trained = trains(tmp_path, frame)
    proba = trained.model.predict_proba(frame)
    assert np.isfinite(proba.to_numpy()).all()


def test_numbers_too_long_for_any_type(tmp_path):
    lines = "".join(f"{'9' * 40 if i % 5 else i},{'p' if i % 2 else 'q'}\n" for i in range(60))
    trains(tmp_path, text(tmp_path, f"x,y\n{lines}"))


def test_columns_that_are_all_missing(tmp_path):
    trains(tmp_path, rows().with_columns(nothing=pl.lit(None, dtype=pl.Float64), blank=pl.lit(None, dtype=pl.String)))


@pytest.mark.slow
def test_a_hundred_thousand_levels(tmp_path):
    n = 110_000
    rng = np.random.default_rng(0)
    level = rng.integers(0, 100_000, n)
    frame = pl.DataFrame({"level": [f"L{v} x" for v in level], "x": rng.normal(size=n)})
    frame = frame.with_columns(y=pl.when(pl.col("x") > 0).then(pl.lit("p")).otherwise(pl.lit("q")))
    trains(tmp_path, frame)


def test_emoji_and_right_to_left_text(tmp_path):
    frame = (
        rows()
        .rename({"x": "📈 مقدار", "z": "<b>שם</b>"})
        .with_columns(pl.when(pl.col("y") == "p").then(pl.lit("👍 نعم")).otherwise(pl.lit('"א", ב')).alias("🎯"))
        .drop("y")
    )
    trained = trains(tmp_path, frame, target="🎯")
    assert set(trained.model.labels) == {"👍 نعم", '"א", ב'}
    out = tmp_path / "scored.csv"
    modelwright.predict(trained.path, frame, out=out)
    with out.open(newline="") as file:
        header = next(csv.reader(file))
    assert set(header) == {"prediction", "probability_👍 نعم", 'probability_"א", ב'}
    page = (Path(trained.path) / "report.html").read_text()
    assert "<b>שם</b>" not in page


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("metric", "rmse"),
        ("positive", "Q"),
        ("time", "when"),
        ("group", "g"),
        ("weight", "z"),
        ("ignore", ["nope"]),
        ("task", "regression"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, setting, value):
    fails(tmp_path, rows(), **{setting: value})


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(ModelwrightError) as caught:
        modelwright.train(rows(), target="y", effort=1, out=str(tmp_path / "no" / "such" / "folder" / "m.model"))
    assert caught.value.code == "MW602"


def test_something_else_at_that_place_is_kept(tmp_path):
    out = tmp_path / "m.model"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelwrightError):
        modelwright.train(rows(), target="y", effort=1, out=str(out))
    assert (out / "thesis.txt").read_text() == "years of work"


def test_rows_to_score_that_depart_from_the_contract(churn_model, later_csv, tmp_path):
    frame = pl.read_csv(later_csv, infer_schema=False)
    for changed in (
        frame.drop("tenure"),
        frame.with_columns(extra=pl.lit(1)),
        frame.with_columns(tenure=pl.lit("a lot")),
        frame.with_columns(contract=pl.lit("for ever")),
        frame.with_columns(pl.col("tenure").cast(pl.Float64)),
        frame.with_columns(pl.col("since").str.to_date()),
        frame.drop(frame.columns[1:]),
    ):
        out = tmp_path / "scored.parquet"
        scored = modelwright.predict(churn_model.path, changed, out=out)
        assert scored.frame.height == 80
        assert scored.frame["prediction"].null_count() == 0
    departed = modelwright.predict(churn_model.path, frame.drop("tenure")).breaks
    assert [(b.column, b.rule) for b in departed if b.column == "tenure"] == [("tenure", "missing column")]


def test_an_empty_table_to_score(churn_model, tmp_path):
    out = tmp_path / "scored.parquet"
    with pytest.raises(ModelwrightError) as caught:
        modelwright.predict(churn_model.path, pl.DataFrame({"tenure": pl.Series([], dtype=pl.String)}), out=out)
    assert caught.value.code == "MW102"
    assert not out.exists()


def test_nothing_is_half_written(churn_model, later_csv, tmp_path):
    with pytest.raises(ModelwrightError):
        modelwright.predict(churn_model.path, later_csv, out=tmp_path / "scored.docx")
    with pytest.raises(ModelwrightError):
        modelwright.predict(churn_model.path, tmp_path / "no.csv", out=tmp_path / "scored.csv")
    assert list(tmp_path.iterdir()) == []


def test_evaluating_rows_without_a_target(churn_model, tmp_path):
    frame = pl.DataFrame({"tenure": ["1"], "churn": [None]}, schema={"tenure": pl.String, "churn": pl.String})
    for changed in (frame, frame.drop("churn")):
        with pytest.raises(ModelwrightError) as caught:
            modelwright.evaluate(churn_model.path, changed)
        assert caught.value.fix


def test_things_that_are_no_package(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "nothing", tmp_path / "folder", text(tmp_path, "x,y\n1,2\n")):
        with pytest.raises(ModelwrightError) as caught:
            modelwright.load(path)
        assert caught.value.code in ("MW501", "MW502", "MW101")
