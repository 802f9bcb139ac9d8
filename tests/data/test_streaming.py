"""Files in pieces: every row once, and no more of a file in memory than the piece that is given."""

import numpy as np
import polars as pl
import pytest

from modelwright.data.streaming import chunks, parts_of

pytest.importorskip("pyarrow")

GROUPS, ROWS = 30, 20_000


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Six hundred thousand rows in thirty row groups, of numbers that do not compress."""
    path = tmp_path_factory.mktemp("stream") / "many.parquet"
    values = np.random.default_rng(0).random((GROUPS * ROWS, 4))
    pl.DataFrame(values, schema=list("abcd")).with_row_index("row").write_parquet(path, row_group_size=ROWS)
    return path


def test_every_row_comes_once_and_in_order(file):
    (part,) = parts_of(str(file))
    frames = list(chunks(part, rows_at_once=7_777))
    assert max(f.height for f in frames) <= 7_777
    assert pl.concat(frames)["row"].to_list() == list(range(GROUPS * ROWS))


def test_what_was_given_is_not_kept(file):
    import pyarrow

    (part,) = parts_of(str(file))
    before, most = pyarrow.total_allocated_bytes(), 0
    for _ in chunks(part, rows_at_once=5_000):
        most = max(most, pyarrow.total_allocated_bytes() - before)
    assert most < file.stat().st_size / 4
