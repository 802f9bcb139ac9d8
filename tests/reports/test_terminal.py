"""Plain text that fits any terminal."""

from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.score import Score
from modelwright.reports.terminal import measures, profile, table


def description(name: str = "tenure") -> dict:
    column = {
        "name": name,
        "kind": "number",
        "role": "feature",
        "confidence": 0.9,
        "reason": "72 distinct numbers",
        "n_missing": 3,
        "missing_share": 0.001,
        "association": {"strength": 0.47},
    }
    finding = {
        "severity": "severe",
        "code": "F010",
        "title": f"{name} tells the target",
        "action": "kept",
        "columns": [name],
    }
    return {"n_rows": 3000, "n_columns": 1, "columns": [column], "target": {}, "findings": [finding]}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60), st.text(max_size=9)), min_size=1),
    st.integers(20, 120),
)
def test_a_table_never_outgrows_its_width(rows, width):
    assert all(len(line) <= width for line in table(rows, width=width))


def test_measures_say_value_interval_and_note():
    scores = {"mape": Score("mape", 12.34, 10.1, 14.9, 200, "%", "t", "2 of 202 rows have a target of zero")}
    text = measures(scores, "price", width=80)
    assert "12.3 %" in text
    assert "10.1 to 14.9" in text
    assert "target of zero" in text
    narrow = measures(scores, "price", width=30)
    assert max(map(len, narrow.splitlines())) <= 30


def test_a_profile_names_columns_and_findings():
    text = profile(description(), width=100)
    assert "tenure  number" in text
    assert "<1 %" in text
    assert "SEVERE F010: tenure tells the target." in text


def test_names_cannot_steer_the_terminal():
    text = profile(description("\x1b[31mred\x07\n"), width=100)
    assert "\x1b" not in text
    assert "\x07" not in text
