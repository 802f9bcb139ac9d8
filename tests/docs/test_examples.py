"""The examples of the README and of the guide run as they stand, but for shorter budgets."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/index.md", "docs/guide.md", "docs/handbook.md", "docs/explaining.md", "docs/front.md")
SHORTER = ("60s", "5s")
ELSEWHERE = {
    "make ": "the tests themselves are run by it",
    "modelwright handbook --build": "tests/flows builds it",
    "modelwright handbook --practice": "it waits for a person; tests/ui pipes an answer in",
    "modelwright label": "tests/flows hands outcomes in",
    "modelwright promote": "its verdict on so few rows depends on chance; tests/flows walks the gate",
    "modelwright serve": "it answers until it is told to end; tests/service asks it",
    "modelwright retrain": "it needs a champion; tests/flows retrains one",
    "modelwright scout": "it needs a champion, and minutes; tests/flows scouts",
    "modelwright export churn": "it needs a champion; tests/flows exports",
    "modelwright train postgresql://": "tests/data reads from a real server",
    "modelwright watch": "tests/flows watches a ledger with rows in it",
}
"""Lines that do not run here, and why."""

BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """Return language and text of the page's examples."""
    return BLOCK.findall((ROOT / page).read_text().replace(*SHORTER))


def customers(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    tenure = rng.integers(1, 72, n)
    contract = rng.choice(["Month-to-month", "One year", "Two year"], n)
    leaves = rng.random(n) < np.where(contract == "Month-to-month", 0.6, 0.15) * np.where(tenure < 24, 1.3, 0.6)
    columns = {"tenure": tenure, "Contract": contract, "MonthlyCharges": rng.normal(65, 30, n).round(2)}
    return pd.DataFrame({**columns, "Churn": np.where(leaves, "Yes", "No")})


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder with the files that the pages speak of."""
    customers(600, 0).to_csv(tmp_path / "churn.csv", index=False)
    customers(80, 1).drop(columns="Churn").to_csv(tmp_path / "new_customers.csv", index=False)
    customers(80, 1).drop(columns="Churn").to_csv(tmp_path / "rows.csv", index=False)
    customers(200, 2).to_csv(tmp_path / "labelled_later.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str, desk: Path) -> None:
    """Run one line as a user would, without a browser."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, "BROWSER": "true"}
    done = subprocess.run(
        shlex.split(line, comments=True), cwd=desk, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, desk):
    known = {
        "frame": customers(20, 3).drop(columns="Churn"),
        "X": customers(300, 4).drop(columns="Churn"),
        "y": customers(300, 4)["Churn"],
    }
    exec("import modelwright", known)  # the pages import it once
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page, "exec"), known)
            continue
        for line in text.splitlines():
            assert line.startswith("$ "), f"{page}: a session holds commands only: {line}"
            if not line[2:].startswith(tuple(ELSEWHERE)) and not was_run(line, page):
                shell(line[2:], desk)


def was_run(line: str, page: str) -> bool:
    """Whether an earlier page runs the same line; training is repeated, for the others need its model."""
    earlier = PAGES[: PAGES.index(page)]
    return not line.startswith("$ modelwright train") and any(line in text for p in earlier for _, text in blocks(p))


def test_every_page_has_examples():
    assert all(blocks(page) for page in PAGES)
    assert sum(line.startswith("$ ") for page in PAGES for _, text in blocks(page) for line in text.splitlines()) > 15
