"""The layout: what the documents say of it is so."""

from __future__ import annotations

import re
from pathlib import Path

from modelwright.packaging import _layout as layout

PAGE = Path(__file__).parents[2] / "docs" / "package-format.md"


def test_the_page_lists_every_file_and_no_other():
    table = re.search(r"\| file \|.*?\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    named = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    assert named == layout.FIXED | {"blob_0.bin", "blob_1.bin"}


def test_the_page_states_the_limits_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    assert f"{layout.BYTES_MAX // 2**30} GiB" in text
    assert f"{layout.JSON_BYTES_MAX // 2**20} MiB" in text
    assert layout.TOLERATED == {"registered_model_meta"}


def test_blobs_are_counted_from_nought_without_gaps():
    assert layout.blobs_of({"blob_0.bin", "blob_1.bin", "blob_3.bin", "blob_01.bin"}) == ["blob_0.bin", "blob_1.bin"]
