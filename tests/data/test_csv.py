"""Delimited text: what Python's csv module writes reads back the same, and what is broken names its line."""

from __future__ import annotations

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidTable, UnreadableSource
from modelwright.data._csv import _STRICT, _even_rows, _read_carefully, _read_well_formed, read_delimited, sniff
from modelwright.data._encoding import to_utf8
from modelwright.data.reading import read


def rows(text, encoding="utf-8"):
    return read_delimited(text.encode(encoding) if isinstance(text, str) else text, "t.csv").rows()


CELL = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.text(st.sampled_from("\",;\t|\n\r'= a1é🙂שא"), max_size=8),
)
NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@st.composite
def tables(draw):
    names = draw(st.lists(NAME, min_size=1, max_size=5, unique=True))
    cells = draw(st.lists(st.tuples(*[CELL] * len(names)), min_size=1, max_size=8))
    return names, cells


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\r\n", "\n"]), st.sampled_from([0, 1]))
def test_what_python_writes_reads_back_the_same(table, delimiter, line_end, quoting):
    names, cells = table
    # With plain line feeds older Pythons leave a carriage return unquoted, and nobody can tell what it was.
    assume(line_end == "\r\n" or quoting == csv.QUOTE_ALL or not any("\r" in c for row in cells for c in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([names, *cells])
    frame = read_delimited(out.getvalue().encode(), "t.csv")
    assert frame.columns == names
    assert frame.rows() == [tuple(c or None for c in row) for row in cells]


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from(",;\t|"))
def test_the_careful_reading_agrees_with_the_fast_one(table, delimiter):
    names, cells = table
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([names, *cells])
    careful = _read_carefully(out.getvalue().rstrip("\r\n"), delimiter, "t.csv", 1)
    fast = read_delimited(out.getvalue().encode(), "t.csv")
    assert careful.select(pl.when(pl.all() != "").then(pl.all())).equals(fast)


PIECE = st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", " ", "é", '"a"', '"a,b"', '"a\nb"', '"a""b"', ""])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(PIECE, max_size=4).map("".join), max_size=4).map("\n".join))
@example("\n\n,a,")
@example('"",a\n,\n,a,')
def test_the_fast_reading_is_never_wrong_about_text_nobody_wrote_properly(text):
    body = ("x,y\n" + text).rstrip("\r\n")
    fast = _read_well_formed(body.encode(), ",", "t.csv")
    careful = _even_rows(body, ",", _STRICT)
    assert fast is None or [list(row) for row in fast.with_columns(pl.all().fill_null("")).rows()] == careful[1:]


@settings(max_examples=50, deadline=None)
@given(tables())
def test_what_polars_writes_reads_back_the_same(table):
    names, cells = table
    # polars writes a missing value in a single column as a blank line, and blank lines at the end are no rows.
    assume(len(names) > 1 or cells[-1][0])
    frame = pl.DataFrame(
        [[c or None for c in row] for row in cells], schema=dict.fromkeys(names, pl.String), orient="row"
    )
    assert read_delimited(frame.write_csv().encode(), "t.csv").equals(frame)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb c, d\n1\t2, 3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a\n1\n", ""),
        ("message\nhello, you\nwhat; ever\n", ""),
        ('"a,b";c\n"1,2";3\n', ";"),
        ('id,text\n1,"a;b;c"\n2,"d\n;e"\n', ","),
        ("name,price;note\nx,1\ny,2\n", ","),
    ],
)
def test_the_delimiter_is_found(text, expected):
    assert sniff(text.encode()) == expected


def test_the_delimiter_is_found_from_a_cut_sample():
    text = "a;b\n" + '"1\n2,3";"x"\n' * 500
    assert sniff(text.encode()) == ";"


def test_blank_lines_are_no_rows_save_in_a_single_column():
    assert rows("\n\na,b\n1,2\n\n3,4\n\n\n") == [("1", "2"), ("3", "4")]
    assert rows("a,b\r\n1,2\r\n\r\n3,4\r\n   \r\n") == [("1", "2"), ("3", "4")]
    assert rows('a\n1\n\n2\n""\n\n\n') == [("1",), (None,), ("2",), (None,)]
    assert rows("a,b\n,\n1,2\n") == [(None, None), ("1", "2")]


def test_old_line_ends_and_the_hint_of_excel_are_understood():
    assert rows("a,b\r1,2\r3,4") == [("1", "2"), ("3", "4")]
    assert rows("sep=|\r\na|b,c\r\n1|2\r\n") == [("1", "2")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n1,5" pipe\n2,x\n', [("1", '5" pipe'), ("2", "x")]),
        ('a,b\n1,x"y"z\n2,x\n', [("1", 'x"y"z'), ("2", "x")]),
        ('a\tb\nham\t"Hello there\nspam\tBuy "now"\nham\t"quoted" start\n', None),
        ('a,b\n"1","he said "hi" there"\n"2","x, y"\n', [("1", 'he said hi" there"'), ("2", "x, y")]),
        ('a, b\n1, "x, y"\n2, z\n', [("1", "x, y"), ("2", "z")]),
    ],
)
def test_stray_quotes_are_text(text, expected):
    lines = text.splitlines()[1:]
    assert rows(text) == (expected or [tuple(line.split("\t")) for line in lines])


@pytest.mark.parametrize(
    ("text", "line", "n", "width"),
    [
        ("a,b,c\n1,2,3\n4,5\n7,8,9\n", 3, 2, 3),
        ("a,b,c\n1,2,3\n4,5,6,7\n", 3, 4, 3),
        ('\na,b\n"x\n\ny",2\n\n3\n', 7, 1, 2),
        ("a;b\n1;2\n1;2;\n", 3, 3, 2),
        ("a,b\r1,2\r3\r", 3, 1, 2),
        ('a,b\n1,2\n"x",3\n4,5",6\n', 4, 3, 2),
    ],
)
def test_ragged_rows_name_the_line_and_the_counts(text, line, n, width):
    with pytest.raises(InvalidTable, match=rf"line {line}\n(.|\n)*{n} fields where the header has {width}"):
        rows(text)


def test_one_short_row_among_many_is_found():
    text = "a,b\n" + "1,2\n" * 5_000 + "1\n" + "1,2\n" * 5_000
    with pytest.raises(InvalidTable, match="line 5002"):
        rows(text)


def test_a_quote_that_is_never_closed_is_found():
    with pytest.raises(InvalidTable, match=r"line 3\n(.|\n)*end of the file"):
        rows('a,b\n"1","2"\n"3","4\n5,6\n7,8\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,a\n1,2,3\n", "'a'"),
        (",b\n1,2\n", "column 1 of 2"),
        ("a, \n1,2\n", "column 2 of 2"),
        ('a,b,\n1,2,"x" y\n', "column 3"),
    ],
)
def test_blank_and_repeated_names_are_said(text, said):
    with pytest.raises(InvalidTable, match=said):
        rows(text)


# Encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_are_found(encoding):
    text = "Größe;prénom\n1;José\n2;Ælfred\n"
    frame = read_delimited(text.encode(encoding), "t.csv")
    assert frame.columns == ["Größe", "prénom"]
    assert frame.rows() == [("1", "José"), ("2", "Ælfred")]


def test_marks_of_byte_order_with_explicit_ends():
    assert to_utf8(b"\xfe\xff" + "é,b".encode("utf-16-be"), "t") == "é,b".encode()
    assert to_utf8(b"\x00\x00\xfe\xff" + "é".encode("utf-32-be"), "t") == "é".encode()


def test_windows_signs_are_read():
    assert rows("a\n5 € – “so”\n", "cp1252") == [("5 € – “so”",)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a\nпривет мир и всем\n".encode("cp1251"), "line 2"),
        ("a,b\n東京都,大阪府\n".encode("shift-jis"), "another encoding"),
        ("a\né\né\né\n".encode() + b"\xe9\n", "line 5"),
        (("a\n" + "é" * 9).encode()[:-1], "line 2"),
        (b"\xff\xfea\x00b", "UTF-16"),
        (b"a,b\n1,\x002\n", "line 2"),
        (bytes(range(256)) * 8, "binary"),
        (b"\x89PNG\r\n\x1a\n\x07\x80\xff", "binary"),
    ],
)
def test_what_is_not_text_in_one_known_encoding_is_refused(data, said):
    with pytest.raises(UnreadableSource, match=said):
        rows(data)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1))
def test_valid_utf8_is_never_taken_for_anything_else(text):
    assert to_utf8(text.encode(), "t") == text.encode()


def test_a_character_on_the_border_of_two_pieces_is_whole(monkeypatch):
    monkeypatch.setattr("modelwright.data._encoding._CHUNK", 5)
    text = "ab🙂é漢" * 7
    assert to_utf8(text.encode(), "t") == text.encode()


# Around the text


@pytest.mark.parametrize("content", [b'a,b\n1,2\r\n"x\r\ny",\xc3\xa9\n', "a,b\n1,é\n".encode("cp1252")])
def test_gzip_and_zstd_are_opened_by_their_first_bytes(tmp_path, content):
    pyarrow = pytest.importorskip("pyarrow")
    (tmp_path / "plain.csv").write_bytes(content)
    (tmp_path / "g.csv").write_bytes(gzip.compress(content))
    (tmp_path / "z.csv.zst").write_bytes(pyarrow.compress(content, codec="zstd", asbytes=True))
    plain = read(tmp_path / "plain.csv")
    assert read(tmp_path / "g.csv").fingerprint == plain.fingerprint
    assert read(tmp_path / "z.csv.zst").fingerprint == plain.fingerprint


def test_cut_archives_are_unreadable(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    content = b"a,b\n" + b"1,2\n" * 1_000
    for packed in (gzip.compress(content), pyarrow.compress(content, codec="zstd", asbytes=True)):
        (tmp_path / "t.csv").write_bytes(packed[:-6])
        with pytest.raises(UnreadableSource, match="get the file again"):
            read(tmp_path / "t.csv")


def test_a_single_column_of_messages_is_one_column():
    text = 'text\nWin a prize, now; or | never\nOK\n"He said ""no"""\n'
    assert rows(text) == [("Win a prize, now; or | never",), ("OK",), ('He said "no"',)]
