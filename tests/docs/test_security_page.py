"""Every test that the security page names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_each_of_the_seventeen_classes_names_tests_that_exist():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 18))
    for row in rows:
        named = re.findall(r"`(tests/[^`]+)`", row)
        assert named, row[:60]
        for name in named:
            file, _, test = name.partition("::")
            text = (ROOT / file).read_text()
            assert not test or f"def {test}(" in text, name
