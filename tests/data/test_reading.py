"""Every kind of source becomes one table, or a clear error."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from modelwright.core.errors import (
    EmptySource,
    InvalidTable,
    MissingLibrary,
    ModelwrightError,
    UnreadableSource,
)
from modelwright.data.reading import read

TABLES = Path(__file__).parents[2].parent / "shared" / "data"
FRAME = pl.DataFrame({"a": [1, 2, None], "b": ["x", "é", "🙂"], "c": [0.5, None, 1.5]})


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Files


def test_csv_cells_are_text_exactly_as_written(tmp_path):
    table = read(save(tmp_path / "t.csv", 'id,n,q\n007,None,?\n 1,NA,""\n,"",x\n'))
    assert table.frame.rows() == [("007", "None", "?"), (" 1", "NA", None), (None, None, "x")]
    assert set(table.frame.dtypes) == {pl.String}
    assert table.source == str(tmp_path / "t.csv")


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "stream.arrow", "jsonl", "ndjson", "json"])
def test_typed_files_keep_their_types(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    writers = {
        "parquet": FRAME.write_parquet,
        "stream.arrow": FRAME.write_ipc_stream,
        "arrow": FRAME.write_ipc,
        "feather": FRAME.write_ipc,
        "json": FRAME.write_json,
    }
    writers.get(ending, FRAME.write_ndjson)(path)
    assert read(path).frame.equals(FRAME)


def test_the_first_bytes_say_what_a_file_is_whatever_it_is_called(tmp_path):
    FRAME.write_parquet(tmp_path / "t.csv")
    assert read(tmp_path / "t.csv").frame.equals(FRAME)


def test_file_names_with_pattern_signs_are_read(tmp_path):
    FRAME.write_parquet(tmp_path / "a[1]*.parquet")
    assert read(tmp_path / "a[1]*.parquet").frame.equals(FRAME)


def test_a_pipe_is_read():
    reader, writer = os.pipe()
    os.write(writer, b"a,b\n1,2\n")
    os.close(writer)
    assert read(f"/dev/fd/{reader}").n_rows == 1
    os.close(reader)


def test_plain_types_only_come_in(tmp_path):
    frame = pl.DataFrame(
        {
            "decimal": pl.Series(["1.5", None]).cast(pl.Decimal(10, 2)),
            "category": pl.Series(["u", None], dtype=pl.Categorical),
            "enum": pl.Series(["v", None], dtype=pl.Enum(["v"])),
            "duration": pl.Series([1_500, None], dtype=pl.Duration("ms")),
            "time": pl.Series([3_600_000_000_000, None], dtype=pl.Time),
            "nothing": pl.Series([None, None], dtype=pl.Null),
            "fits": pl.Series([5, None], dtype=pl.Int128),
            "huge": pl.Series([2**100, None], dtype=pl.Int128),
        }
    )
    read_back = read(frame).frame
    assert read_back.row(0) == (1.5, "u", "v", 1.5, "01:00:00", None, 5, str(2**100))
    kinds = [pl.Float64, pl.String, pl.String, pl.Float64, pl.String, pl.String, pl.Int64, pl.String]
    assert read_back.dtypes == kinds


def test_nested_columns_are_named(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"ok": [1], "tags": [["a"]], "place": [{"x": 1}], "raw": [b"1"]}).write_parquet(path)
    with pytest.raises(InvalidTable, match=r"'tags' \(list\), 'place' \(struct\), 'raw' \(binary\)"):
        read(path)


def test_5000_columns_and_odd_names_are_read(tmp_path):
    names = [f"c{i}" for i in range(4_998)] + ["عمر 🙂", " spaced "]
    table = read(save(tmp_path / "t.csv", ",".join(names) + "\n" + ",".join("1" * 5_000) + "\n"))
    assert table.columns == names


def test_one_row_one_column(tmp_path):
    assert read(save(tmp_path / "t.csv", "a\n1")).frame.rows() == [("1",)]


# JSON Lines


def test_json_columns_of_several_types_become_text(tmp_path):
    path = save(tmp_path / "t.jsonl", '{"a": true, "b": 1}\n\n{"a": 2}\n{"a": "x", "b": 2.5}\n')
    assert read(path).frame.rows() == [("True", 1.0), ("2", None), ("x", 2.5)]


def test_json_nested_values_name_the_column(tmp_path):
    for content in ('{"a": {"b": 1}}\n', '{"a": [1]}\n{"a": {"b": 1}}\n'):
        with pytest.raises(InvalidTable, match="'a'"):
            read(save(tmp_path / "t.jsonl", content))


@pytest.mark.parametrize(("content", "line"), [('{"a": 1}\n\n{"a"\n', 3), ('{"a": 1}\n[1]\n', 2), ("rubbish", 1)])
def test_broken_json_names_the_line(tmp_path, content, line):
    with pytest.raises(UnreadableSource, match=f"line {line}"):
        read(save(tmp_path / "t.jsonl", content))


# Workbooks


def workbook(path, **sheets):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(path)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    book.close()
    return path


def test_workbooks_give_the_first_sheet_or_the_named_one(tmp_path):
    rows = [["n", "s", "m"], [1.5, "x", 1], [None, None, None], [2, None, "late text"]]
    path = workbook(tmp_path / "t.xlsx", First=rows, Second=[["k"], [7]])
    assert read(path).frame.rows() == [(1.5, "x", "1"), (2.0, None, "late text")]
    assert read(f"{path}#Second").frame.rows() == [(7,)]
    assert read(f"{path}#Second").frame.dtypes == [pl.Int64]


def test_a_late_text_in_a_column_of_numbers_is_not_lost(tmp_path):
    path = workbook(tmp_path / "t.xlsx", One=[["n"], *[[i] for i in range(1_500)], ["unknown"]])
    assert read(path).frame["n"].to_list()[-1] == "unknown"


def test_workbooks_say_what_is_wrong(tmp_path):
    path = workbook(tmp_path / "t.xlsx", First=[["a", "a", None], [1, 2, 3]], Blank=[], Header=[["a"]])
    with pytest.raises(InvalidTable, match=r"column 3"):
        read(path)
    with pytest.raises(UnreadableSource, match="did you mean 'First'"):
        read(f"{path}#Frist")
    for sheet in ("Blank", "Header"):
        with pytest.raises(EmptySource):
            read(f"{path}#{sheet}")
    with pytest.raises(UnreadableSource, match="workbook"):
        read(save(tmp_path / "z.xlsx", b"PK\x03\x04 rubbish"))


# Several files


def test_a_folder_or_glob_is_read_in_the_order_of_names(tmp_path):
    save(tmp_path / "b.csv", "y,x\n2,1\n")
    save(tmp_path / "a.csv", "x,y\n3,4\n")
    save(tmp_path / "c.tsv", "x\ty\n5\t6\n")
    save(tmp_path / "_SUCCESS", "")
    save(tmp_path / ".hidden.csv", "z\n1\n")
    save(tmp_path / "notes.md", "not a table")
    assert read(tmp_path).frame.rows() == [("3", "4"), ("1", "2"), ("5", "6")]
    assert read(f"{tmp_path}/*.csv").frame.rows() == [("3", "4"), ("1", "2")]


def test_files_that_differ_are_named(tmp_path):
    save(tmp_path / "a.csv", "x,y\n3,4\n")
    save(tmp_path / "b.csv", "x,z\n1,2\n")
    with pytest.raises(InvalidTable, match=r"b\.csv(.|\n)*lacks 'y' and adds 'z'"):
        read(tmp_path)


def test_files_of_other_types_are_named_and_numbers_agree(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": [1.5]}).write_parquet(tmp_path / "2.parquet")
    assert read(tmp_path).frame["a"].to_list() == [1.0, 1.5]
    pl.DataFrame({"a": ["x"]}).write_parquet(tmp_path / "3.parquet")
    with pytest.raises(InvalidTable, match=r"3\.parquet(.|\n)*column 'a'"):
        read(tmp_path)


# Bad sources


def test_a_missing_file_offers_the_nearest_names(tmp_path):
    save(tmp_path / "churn.csv", "a\n1\n")
    with pytest.raises(UnreadableSource, match=r"did you mean 'churn\.csv'"):
        read(tmp_path / "chrun.csv")
    with pytest.raises(UnreadableSource, match="does not exist"):
        read(tmp_path / "no" / "churn.csv")
    with pytest.raises(UnreadableSource, match="no match"):
        read(f"{tmp_path}/x*.csv")


def test_a_folder_without_tables_says_so(tmp_path):
    save(tmp_path / "readme.md", "x")
    with pytest.raises(UnreadableSource, match="1 entries, none of them a table"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "\n\n", "a,b\n", "a,b", '"a"\n\n'])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_empty_files_and_headers_alone(tmp_path, content, name):
    with pytest.raises(EmptySource):
        read(save(tmp_path / name, content))


def test_empty_files_of_other_kinds(tmp_path):
    pl.DataFrame({"a": []}).write_parquet(tmp_path / "t.parquet")
    for path in (tmp_path / "t.parquet", save(tmp_path / "t.jsonl", "\n"), save(tmp_path / "e.parquet", "")):
        with pytest.raises(EmptySource):
            read(path)


@pytest.mark.parametrize(
    "start", [b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"FEA1"]
)
def test_damaged_files_are_unreadable(tmp_path, start):
    with pytest.raises(UnreadableSource):
        read(save(tmp_path / "t.csv", start + b"rubbish" * 20))


@pytest.mark.parametrize("source", [7, None, "", "  ", b"x.csv", object(), [1, 2], ["a.csv"], {1, 2}])
def test_what_is_no_source_is_said_to_be_none(source):
    with pytest.raises(UnreadableSource, match="a source is"):
        read(source)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = save(tmp_path / "t.csv", "a\n1\n")
    path.chmod(0)
    with pytest.raises(UnreadableSource, match="ermission"):
        read(path)


def test_unknown_addresses_name_the_known_ones():
    with pytest.raises(UnreadableSource, match="sqlite"):
        read("mysql://ann:secret@db/shop", query="select 1")
    with pytest.raises(UnreadableSource, match="download"):
        read("https://example.org/t.csv")


def test_no_password_is_ever_shown():
    with pytest.raises(ModelwrightError) as caught:
        read("mysql://ann:s3cr3t@db/shop")
    assert "s3cr3t" not in str(caught.value)


# Databases


@pytest.fixture
def sqlite_url(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("create table t (id integer, name text, mixed, price real, blank text)")
        connection.execute("insert into t values (1, 'a', 1, 2.5, null), (2, null, 'x', null, null)")
        connection.execute("create table b (raw blob)")
        connection.execute("insert into b values (x'00ff')")
        connection.commit()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_sqlite(sqlite_url):
    table = read(sqlite_url, query="select * from t order by id")
    assert table.frame.rows() == [(1, "a", "1", 2.5, None), (2, None, "x", None, None)]
    assert table.frame.dtypes == [pl.Int64, pl.String, pl.String, pl.Float64, pl.String]
    assert table.source == sqlite_url


def test_sqlite_says_what_is_wrong(sqlite_url, tmp_path):
    with pytest.raises(UnreadableSource, match="no query"):
        read(sqlite_url)
    with pytest.raises(UnreadableSource, match="no such table"):
        read(sqlite_url, query="select * from nope")
    with pytest.raises(InvalidTable, match="'id'"):
        read(sqlite_url, query="select id, id from t")
    with pytest.raises(InvalidTable, match="'raw'"):
        read(sqlite_url, query="select raw from b")
    with pytest.raises(EmptySource):
        read(sqlite_url, query="select * from t where id > 9")
    with pytest.raises(UnreadableSource, match=r"did you mean 'shop\.db'"):
        read(f"sqlite:///{tmp_path}/shpo.db", query="select 1")
    with pytest.raises(UnreadableSource, match="three slashes"):
        read("sqlite://shop.db", query="select 1")
    with pytest.raises(UnreadableSource, match="sqlite:///FILE"):
        read(tmp_path / "shop.db")


@pytest.mark.parametrize("statement", ["delete from t", "drop table t", "create table u (a)"])
def test_sqlite_is_never_changed(sqlite_url, statement):
    with pytest.raises(UnreadableSource):
        read(sqlite_url, query=statement)
    assert read(sqlite_url, query="select * from t").n_rows == 2


def test_a_query_needs_a_database(tmp_path):
    with pytest.raises(UnreadableSource, match="asked of a database"):
        read(save(tmp_path / "t.csv", "a\n1\n"), query="select 1")
    with pytest.raises(UnreadableSource, match="asked of a database"):
        read(FRAME, query="select 1")


@pytest.fixture
def duckdb_url(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "create table t as select i::int as i, i * 1.5 as d, 'n' || i as s, date '2024-01-01' + i::int as day,"
            " sum(i) over () as total, timestamptz '2024-01-01 00:00:00+00' as moment from range(3) r(i)"
        )
    return f"duckdb:///{tmp_path / 'shop.duckdb'}"


def test_duckdb(duckdb_url):
    frame = read(duckdb_url, query="select * from t order by i").frame
    assert frame.select("i", "d", "s", "total").row(2) == (2, 3.0, "n2", 3.0)
    assert frame.dtypes[3] == pl.Date
    assert read(duckdb_url, query="select interval 90 second as wait").frame.rows() == [(90.0,)]


def test_duckdb_says_what_is_wrong(duckdb_url, tmp_path):
    for query in ("select * from nope", "selec", "delete from t", "create table u (i int)"):
        with pytest.raises(UnreadableSource):
            read(duckdb_url, query=query)
    with pytest.raises(InvalidTable, match="'tags'"):
        read(duckdb_url, query="select [1, 2] as tags")
    with pytest.raises(UnreadableSource, match="duckdb:///FILE"):
        read(tmp_path / "shop.duckdb")


@pytest.mark.slow
@pytest.mark.server
def test_postgres(postgres):
    psycopg = pytest.importorskip("psycopg")
    with closing(psycopg.connect(postgres, autocommit=True)) as connection:
        connection.execute(
            "create table t (id int, name text, price numeric(8, 2), day date, at timestamptz, ok boolean,"
            " wait interval, code uuid, tags text[], note jsonb)"
        )
        connection.execute(
            "insert into t values (1, 'é 🙂', 2.50, '2024-01-02', '2024-01-02 03:04:05+02', true, '90 s',"
            " '00000000-0000-0000-0000-000000000001', '{a}', '{}')"
        )
        connection.execute("insert into t (id) values (2)")
    table = read(postgres, query="select id, name, price, day, at, ok, wait, code::text from t order by id")
    assert table.frame.dtypes[2:7] == [pl.Float64, pl.Date, pl.Datetime("us", "UTC"), pl.Boolean, pl.Float64]
    row = table.frame.row(0)
    assert row[:3] == (1, "é 🙂", 2.5)
    assert row[4].isoformat() == "2024-01-02T01:04:05+00:00"
    assert row[6] == 90.0
    assert table.frame.row(1) == (2, *[None] * 7)
    assert read(postgres, query="select code from t where name like '%é%'").frame.dtypes == [pl.String]
    with pytest.raises(InvalidTable, match="'tags'"):
        read(postgres, query="select tags from t")
    for query in ("delete from t", "select * from nope", "set search_path to public", "create table u (i int)"):
        with pytest.raises(UnreadableSource):
            read(postgres, query=query)
    assert read(postgres.replace("postgresql:", "postgres:"), query="select count(*) as n from t").frame.item() == 2


@pytest.mark.slow
def test_a_server_that_is_not_there_is_said_to_be_away_without_the_password():
    with pytest.raises(UnreadableSource) as caught:
        read("postgresql://ann:s3cr3t@127.0.0.1:1/shop?connect_timeout=2", query="select 1")
    assert "ann:***@" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


# Object stores


@pytest.mark.slow
@pytest.mark.server
def test_an_object_store(bucket, tmp_path):
    FRAME.write_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    assert read(bucket("t.parquet", content)).frame.equals(FRAME)
    bucket("many/2.parquet", content)
    bucket("many/1.parquet", content)
    assert read("s3://rows/many/*.parquet").n_rows == 6
    local = save(tmp_path / "t.csv", 'a;b\n"x\r\n;y";é\n;"2"\n')
    table = read(bucket("t.csv", local.read_bytes()))
    assert table.frame.rows() == [("x\r\n;y", "é"), (None, "2")]
    assert table.fingerprint == read(local).fingerprint
    bucket("texts/2.csv", b"b;a\n1;2\n")
    bucket("texts/1.csv", b"a;b\n3;4\n")
    assert read("s3://rows/texts/*.csv").frame.rows() == [("3", "4"), ("2", "1")]
    assert read(bucket("t.jsonl", b'{"a": 1}\n')).frame.rows() == [(1,)]
    bucket("many/3.parquet", _parquet(pl.DataFrame({"z": [1]}), tmp_path))
    with pytest.raises(InvalidTable, match="adds 'z'"):
        read("s3://rows/many/*.parquet")
    for source in ("s3://rows/none.csv", "s3://rows/none.parquet", "s3://rows/none*.csv", "s3://other/t.parquet"):
        with pytest.raises(UnreadableSource):
            read(source)
    with pytest.raises(UnreadableSource, match="UTF-8"):
        read(bucket("latin.csv", b"a;b\n1;\xe94\n"))
    with pytest.raises(UnreadableSource, match="ending"):
        read("s3://rows/t.xlsx")
    with pytest.raises(ModelwrightError):
        read(bucket("empty.csv", b""))


def _parquet(frame, tmp_path):
    frame.write_parquet(tmp_path / "other.parquet")
    return (tmp_path / "other.parquet").read_bytes()


# Everything else


def test_missing_libraries_name_the_extra(tmp_path):
    for library, extra, source, query in (
        ("fastexcel", "excel", workbook(tmp_path / "t.xlsx", One=[["a"], [1]]), None),
        ("duckdb", "sql", f"duckdb:///{save(tmp_path / 'x.duckdb', b'')}", "select 1"),
        ("psycopg", "sql", "postgresql://127.0.0.1:1/x", "select 1"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, library, None)
            with pytest.raises(MissingLibrary, match=rf"modelwright\[{extra}\]"):
                read(source, query=query)


def test_the_fingerprint_names_the_content_only(tmp_path):
    import gzip

    text = "a,b\n1,x\n,é\n" * 10
    plain = read(save(tmp_path / "t.csv", text)).fingerprint
    assert read(save(tmp_path / "t.csv.gz", gzip.compress(text.encode()))).fingerprint == plain
    assert read(save(tmp_path / "t.tsv", text.replace(",", "\t"))).fingerprint == plain
    assert read(save(tmp_path / "u.csv", text.replace("x", "y"))).fingerprint != plain
    assert read(save(tmp_path / "u.csv", text.replace("a,b", "b,a"))).fingerprint != plain
    chunked = pl.concat([FRAME.slice(0, 1), FRAME.slice(1)], rechunk=False)
    assert read(chunked).fingerprint == read(FRAME).fingerprint
    # Written down, so that a change of the method does not pass unseen: packages keep these names for years.
    assert read(FRAME).fingerprint == "4b3bd088dbaedfe352630f2edfde58bb"


@pytest.mark.parametrize(
    ("left", "right"),
    [(["ab", "c"], ["a", "bc"]), ([None, "a"], ["", "a"]), (["1"], [1]), ([1], [1.0]), ([None], [0]), ([True], [1])],
)
def test_different_content_has_different_fingerprints(left, right):
    first, second = pl.DataFrame({"a": left}, strict=False), pl.DataFrame({"a": right}, strict=False)
    assert read(first).fingerprint != read(second).fingerprint


def test_reading_a_csv_imports_no_optional_library(tmp_path):
    code = (
        "import sys; from modelwright.data.reading import read; read(sys.argv[1]);"
        "optional = {'pandas', 'pyarrow', 'duckdb', 'psycopg', 'fastexcel', 'sklearn', 'sqlite3'};"
        "print(sorted(optional & set(sys.modules)))"
    )
    path = str(save(tmp_path / "t.csv", "a,b\n1,2\n"))
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.tables
def test_a_large_table_is_read_in_well_under_a_second():
    path = TABLES / "hflights_cancelled" / "train.csv"
    if not path.exists():
        pytest.skip("the real tables are not here")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        table = read(path)
        times.append(time.perf_counter() - start)
    assert table.frame.shape == (170_622, 11)
    assert min(times) < 1.0
