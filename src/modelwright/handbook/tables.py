"""The tables that come with scikit-learn: small, real, and always there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import UnknownName, closest

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Known:
    """A table that is always there.

    Attributes:
        name: As entries name it.
        target: What is predicted.
        said: What the table is, for the page.
        positive: The label that counts as positive, where there are two.
    """

    name: str
    target: str
    said: str
    positive: str | None = None


KNOWN = {
    k.name: k
    for k in (
        Known(
            "breast_cancer",
            "tumour",
            "569 breast tumours measured under the microscope (Wisconsin, 1995); the question is malignant or benign",
            "malignant",
        ),
        Known(
            "diabetes",
            "progression",
            "442 people with diabetes (Efron et al., 2004); the question is how far the disease went within a year",
        ),
        Known("wine", "cultivar", "178 Italian wines (Forina, 1991); the question is from which of three grapes"),
        Known(
            "eights",
            "eight",
            "1,797 handwritten digits as 8 × 8 grey dots (Alpaydin, 1998); the question is whether it is an eight",
            "yes",
        ),
        Known("digits", "digit", "1,797 handwritten digits as 8 × 8 grey dots (Alpaydin, 1998); the question is which"),
    )
}


def known(name: str) -> Known:
    """Return what is known of a table, or raise UnknownName with the nearest names."""
    if name not in KNOWN:
        raise UnknownName("a table of the handbook has a known name", where="table", got=name, fix=closest(name, KNOWN))
    return KNOWN[name]


def load(name: str) -> pl.DataFrame:
    """Return the rows of a table, its target the last column."""
    loaders: dict[str, Callable[[], pl.DataFrame]] = {
        "breast_cancer": _breast_cancer,
        "diabetes": _diabetes,
        "wine": _wine,
        "digits": _digits,
        "eights": _eights,
    }
    return loaders[known(name).name]()


def _breast_cancer() -> pl.DataFrame:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    labels = [str(found.target_names[i]) for i in found.target]
    return _frame(found.data, [str(n) for n in found.feature_names], "tumour", labels)


def _diabetes() -> pl.DataFrame:
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    names = {"bmi": "body mass index", "bp": "blood pressure", "s1": "cholesterol", "s2": "LDL", "s3": "HDL"}
    names |= {"s4": "cholesterol / HDL", "s5": "log triglycerides", "s6": "blood sugar"}
    columns = [names.get(str(n), str(n)) for n in found.feature_names]
    frame = _frame(found.data, columns, "progression", [float(v) for v in found.target])
    sex = pl.when(pl.col("sex") == 1).then(pl.lit("one")).otherwise(pl.lit("two"))
    return frame.with_columns(sex.alias("sex"))


def _wine() -> pl.DataFrame:
    from sklearn.datasets import load_wine

    found = load_wine()
    names = [str(n).replace("_", " ") for n in found.feature_names]
    return _frame(found.data, names, "cultivar", [f"grape {i + 1}" for i in found.target])


def _digits() -> pl.DataFrame:
    from sklearn.datasets import load_digits

    found = load_digits()
    names = [f"row {i // 8 + 1}, dot {i % 8 + 1}" for i in range(64)]
    return _frame(found.data, names, "digit", [f"{int(v)}" for v in found.target])


def _eights() -> pl.DataFrame:
    is_eight = pl.when(pl.col("digit") == "8").then(pl.lit("yes")).otherwise(pl.lit("no"))
    return _digits().select(pl.exclude("digit"), is_eight.alias("eight"))


def _frame(values: Any, names: list[str], target: str, answers: list[str] | list[float]) -> pl.DataFrame:
    return pl.DataFrame(values, schema=names, orient="row").with_columns(pl.Series(target, answers))
