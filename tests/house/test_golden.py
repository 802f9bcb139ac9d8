"""Texts that people read, kept under tests/golden; ``make bless`` rewrites them."""

import pytest

import modelwright
from modelwright import ModelwrightError


def provoke(folder, name: str, content: str, target: str = "y", **settings: object) -> str:
    path = folder / name
    path.write_text(content)
    with pytest.raises(ModelwrightError) as caught:
        modelwright.train(path, target=target, out=str(folder / "m.model"), **settings)
    return str(caught.value).replace(str(folder), "FOLDER")


def test_errors_read_well(tmp_path, golden):
    texts = [
        provoke(tmp_path, "empty.csv", ""),
        provoke(tmp_path, "ragged.csv", "x,y\n1,a\n2,b,c\n"),
        provoke(tmp_path, "twice.csv", "x,x,y\n1,2,a\n"),
        provoke(tmp_path, "constant.csv", "x,y\n1,a\n2,a\n3,a\n"),
        provoke(tmp_path, "names.csv", "x,Churn\n1,a\n2,b\n3,a\n", target="chrun"),
        provoke(tmp_path, "budget.csv", "x,y\n1,a\n", budget="soon"),
    ]
    golden("errors.txt", "\n\n".join(texts) + "\n")
