"""One file: hostile archives are refused before anything of them is unpacked."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage, ModelwrightError, UnwritableOutput
from modelwright.packaging._archive import write_archive
from modelwright.packaging.reading import read
from modelwright.packaging.writing import write

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


@pytest.fixture(scope="module")
def files(make, tmp_path_factory) -> dict[str, bytes]:
    """The files of a sound package."""
    path = tmp_path_factory.mktemp("written") / "m.model"
    write(path, make())
    return {p.name: p.read_bytes() for p in path.iterdir()}


def packed(path: Path, files: dict[str, bytes], *extra: tuple[ZipInfo | str, bytes], how: int = ZIP_STORED) -> Path:
    with ZipFile(path, "w", how) as archive:
        for name, content in (*files.items(), *extra):
            archive.writestr(name, content)
    return path


def refused(path: Path, catalogue, match: str | None = None) -> None:
    with pytest.raises(InvalidPackage, match=match) as caught:
        read(path, catalogue)
    assert caught.value.fix


@pytest.mark.parametrize("how", [ZIP_STORED, ZIP_DEFLATED])
def test_a_folder_that_somebody_zipped_is_read(files, catalogue, tmp_path, how):
    assert read(packed(tmp_path / "m.zip", files, how=how), catalogue).fingerprint


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "/etc/passwd",
        "C:\\evil",
        "..\\evil",
        "a/../manifest.json",
        "./state.json",
        "MANIFEST.JSON",
        "State.json",
        "blob_01.bin",
        "m.model/manifest.json",
        "\u202enosj.etats",
        "caf\xe9",
    ],
)
def test_a_name_that_is_not_ours_is_refused(files, catalogue, tmp_path, name):
    refused(packed(tmp_path / "m.zip", files, (name, b"x")), catalogue)
    assert [p.name for p in tmp_path.iterdir()] == ["m.zip"]


def test_a_member_without_a_name_is_refused(files, catalogue, tmp_path):
    content = bytearray(packed(tmp_path / "m.zip", files, ("q", b"x")).read_bytes())
    for signature, place in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        at = content.rindex(signature) + place
        content[at : at + 4] = struct.pack("<2H", 0, 1)  # the name's one byte becomes an extra field
    (tmp_path / "m.zip").write_bytes(content)
    refused(tmp_path / "m.zip", catalogue)


def test_a_name_that_stands_twice_is_refused(files, catalogue, tmp_path):
    refused(packed(tmp_path / "m.zip", files, ("state.json", files["state.json"])), catalogue, "once")


def test_links_folders_and_devices_are_refused(files, catalogue, tmp_path):
    for mode in (0o120777, 0o040755, 0o020666, 0o010666):
        entry = ZipInfo("card.md")
        entry.external_attr = mode << 16
        others = {n: c for n, c in files.items() if n != "card.md"}
        refused(packed(tmp_path / "m.zip", others, (entry, b"/etc/passwd")), catalogue, "plain files only")


def test_another_compression_or_a_password_is_refused(files, catalogue, tmp_path):
    refused(packed(tmp_path / "m.zip", files, how=ZIP_BZIP2), catalogue, "stored or deflated")
    content = bytearray(packed(tmp_path / "m.zip", files).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "m.zip").write_bytes(content)
    refused(tmp_path / "m.zip", catalogue, "without a password")


def test_a_bomb_is_refused_without_being_unpacked(files, catalogue, tmp_path):
    others = {n: c for n, c in files.items() if n != "card.md"}
    bomb = packed(tmp_path / "m.zip", others, ("card.md", bytes(60 * 2**20)), how=ZIP_DEFLATED)
    assert bomb.stat().st_size < 10**6
    tracemalloc.start()
    try:
        refused(bomb, catalogue, "what its size allows")
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_a_member_longer_than_it_says_is_not_read_to_its_end(files, catalogue, tmp_path):
    path = packed(tmp_path / "m.zip", files, how=ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    with ZipFile(path) as archive:
        start = archive.start_dir
    at = content.index(b"evidence.json", start) - 46 + 24  # the size that the directory claims
    content[at : at + 4] = struct.pack("<L", 10)
    path.write_bytes(content)
    refused(path, catalogue)


def test_more_than_the_cap_altogether_is_refused(files, catalogue, tmp_path):
    path = packed(tmp_path / "m.zip", files)
    with pytest.raises(InvalidPackage, match="no larger than allowed"):
        read(path, catalogue, bytes_max=sum(map(len, files.values())) - 1)


@pytest.mark.slow
def test_a_huge_directory_is_refused_before_it_is_read(files, catalogue, tmp_path):
    path = packed(tmp_path / "m.zip", files, *((f"f{i}", b"") for i in range(21_000)))
    refused(path, catalogue, "nothing before, between or after")


@pytest.mark.parametrize("where", ["before", "after", "comment"])
def test_nothing_may_hide_around_the_archive(files, catalogue, tmp_path, where):
    path = packed(tmp_path / "m.zip", files)
    if where == "comment":
        with ZipFile(path, "a") as archive:
            archive.comment = b"hello"
    else:
        content = path.read_bytes()
        path.write_bytes(b"#!/bin/sh\n" + content if where == "before" else content + b"\n")
    refused(path, catalogue)


def test_large_archive_records_are_refused(files, catalogue, tmp_path):
    content = packed(tmp_path / "m.zip", files).read_bytes()
    body, end = content[:-22], content[-22:]
    directory_size, place = struct.unpack("<2L", end[12:20])
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, len(files), len(files), directory_size, place)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1)
    end = end[:12] + struct.pack("<L", directory_size + len(large) + len(locator)) + end[16:]
    (tmp_path / "m.zip").write_bytes(body + large + locator + end)
    refused(tmp_path / "m.zip", catalogue, "nothing before, between or after")


@pytest.mark.slow
def test_more_than_two_gigabytes_go_into_a_folder():
    class Nowhere(io.RawIOBase):
        """Takes bytes and keeps their count."""

        at = 0

        def writable(self):
            return True

        def seekable(self):
            return True

        def tell(self):
            return self.at

        def seek(self, place, _=0):
            self.at = place
            return place

        def write(self, content):
            self.at += len(content)
            return len(content)

    with pytest.raises(UnwritableOutput, match="at most 2 GiB"):
        write_archive(Nowhere(), dict.fromkeys(("blob_0.bin", "blob_1.bin", "blob_2.bin"), bytes(2**30 - 2**20)))


@pytest.mark.parametrize("how", [ZIP_STORED, ZIP_DEFLATED])
def test_a_damaged_archive_ends_in_a_clear_error(files, catalogue, tmp_path, how):
    path = packed(tmp_path / "m.zip", files, how=how)
    content, rng = path.read_bytes(), np.random.default_rng(5)
    directory = content.index(b"PK\x01\x02")
    n_accepted = 0
    for number in range(200):
        damaged = bytearray(content)
        at = int(rng.integers(0 if number % 2 else directory, len(content)))
        if number % 5 == 0:
            del damaged[at:]
        elif number % 5 == 1:
            damaged[at:at] = rng.bytes(3)
        else:
            damaged[at : at + 2] = rng.bytes(2)
        path.write_bytes(damaged)
        try:
            read(path, catalogue)
            n_accepted += 1  # a date or a version in a header says nothing about the content
        except ModelwrightError as error:
            assert error.rule  # noqa: PT017 - that nothing else is raised is the point
    assert n_accepted < 70


def test_an_archive_depends_on_names_and_contents_only(files, tmp_path):
    first, second = io.BytesIO(), io.BytesIO()
    write_archive(first, files)
    write_archive(second, dict(reversed(files.items())))
    assert first.getvalue() == second.getvalue()
    with ZipFile(first) as archive:
        assert archive.namelist() == sorted(files)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(archive.read("manifest.json"))["format"] == 1
