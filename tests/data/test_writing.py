"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat

import polars as pl
import pytest

from modelwright.core.errors import UnwritableOutput
from modelwright.data.reading import read
from modelwright.data.writing import check_writable, write

FRAME = pl.DataFrame({"prediction": ["=1+1", 'say "no"', "é\n🙂", None], "p": [0.25, None, 1e-300, 1.0]})


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "ndjson", "PARQUET"])
def test_what_is_written_reads_back(tmp_path, ending):
    write(FRAME, tmp_path / f"out.{ending}")
    assert read(tmp_path / f"out.{ending}").frame.equals(FRAME)
    assert [p.name for p in tmp_path.iterdir()] == [f"out.{ending}"]


def test_csv_cells_are_written_as_they_are(tmp_path):
    write(FRAME, str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text().startswith("prediction,p\n=1+1,0.25\n")
    assert read(tmp_path / "out.csv").frame["prediction"].equals(FRAME["prediction"])


def test_an_existing_file_is_replaced_and_links_are_followed(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write(FRAME, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("prediction")


def test_others_may_read_what_the_user_allows_them(tmp_path):
    before = os.umask(0o022)
    try:
        write(FRAME, tmp_path / "out.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o644


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path):
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(UnwritableOutput):
        write(pl.DataFrame({"a": [[1]]}), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["out", "out.xlsx", "out.pkl", ".csv"])
def test_unknown_endings_name_the_known_ones(tmp_path, name):
    with pytest.raises(UnwritableOutput, match=r"\.parquet, \.csv"):
        check_writable(tmp_path / name)


def test_places_that_cannot_be_written_to_are_told_before_the_work(tmp_path):
    with pytest.raises(UnwritableOutput, match="mkdir"):
        check_writable(tmp_path / "no" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UnwritableOutput, match="a folder"):
        check_writable(tmp_path / "folder.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableOutput):
        check_writable(tmp_path / "file" / "out.csv")
    with pytest.raises(UnwritableOutput, match="can be written"):
        check_writable("/proc/out.csv")
    assert check_writable(tmp_path / "out.csv") == tmp_path.resolve() / "out.csv"
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableOutput, match="ermission"):
        check_writable(tmp_path / "out.csv")
