"""Writing: whole or not at all, the same bytes for the same package, and a name for its content."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage, UnwritableOutput
from modelwright.core.state import State
from modelwright.packaging.package import Golden
from modelwright.packaging.reading import read
from modelwright.packaging.writing import check_writable, fingerprint_of, write

TIMED = {"manifest.json", "evidence.json", "record.json", "checksums.json", "report.html", "card.md"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.parametrize("name", ["churn.model", "churn.zip"])
def test_the_same_package_is_written_as_the_same_bytes(package, tmp_path, name):
    first, second = tmp_path / name, tmp_path / f"again {name}"
    assert write(first, package) == write(second, package)
    if first.is_dir():
        assert files_of(first) == files_of(second)
    else:
        assert first.read_bytes() == second.read_bytes()


def test_only_files_that_show_times_differ_between_runs(package, made_later, tmp_path):
    names = [write(tmp_path / "a", package), write(tmp_path / "b", made_later(package))]
    first, second = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    assert names[0] == names[1] == fingerprint_of(package) == json.loads(first["manifest.json"])["fingerprint"]
    assert {n for n in first if first[n] != second[n]} == TIMED


def test_the_fingerprint_changes_with_every_part(package, make):
    seen = {fingerprint_of(package)}
    golden = Golden(package.golden.records[:4], package.golden.scores[:4])
    changes = {
        "model": replace(package.model, threshold=0.5),
        "manifest": replace(package.manifest, seed=9),
        "evidence": replace(package.evidence, notes=("Many rows.",)),
        "findings": (),
        "golden": golden,
        "sealed": None,
        "record": {"candidates": []},
    }
    for field, value in changes.items():
        seen.add(fingerprint_of(replace(package, **{field: value})))
    seen.add(fingerprint_of(make(3)))
    assert len(seen) == len(changes) + 2


def test_folder_and_file_have_one_fingerprint_and_a_file_needs_no_ending(package, catalogue, tmp_path):
    names = {
        write(tmp_path / "a.model", package),
        write(tmp_path / "a.zip", package),
        write(tmp_path / "one.model", package, single_file=True),
    }
    assert len(names) == 1
    assert (tmp_path / "one.model").is_file()
    assert {read(p, catalogue).fingerprint for p in tmp_path.iterdir()} == names


def test_a_package_is_replaced_by_a_package_of_either_form(package, make, catalogue, tmp_path):
    path = tmp_path / "m.model"
    for single_file in (False, True, True, False, False):
        package = make(seed=package.manifest.seed + 1)
        named = write(path, package, single_file=single_file)
        assert read(path, catalogue).fingerprint == named
        assert path.is_file() == single_file
    assert [p.name for p in tmp_path.iterdir()] == ["m.model"]


def test_an_empty_folder_is_a_place_for_a_package_and_links_are_followed(package, catalogue, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", package)
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "real", catalogue).fingerprint


def a_file(path, _):
    path.write_text("dear diary")


def a_folder(path, _):
    path.mkdir()
    (path / "thesis.tex").write_text("x")


def a_folder_with_a_manifest(path, _):
    path.mkdir()
    (path / "manifest.json").write_text('{"name": "my web app"}')


def a_package_with_a_note(path, package):
    write(path, package)
    (path / "my notes.txt").write_text("x")


@pytest.mark.parametrize("make_it", [a_file, a_folder, a_folder_with_a_manifest, a_package_with_a_note])
def test_what_is_not_a_package_is_never_replaced(package, tmp_path, make_it):
    path = tmp_path / "m.model"
    make_it(path, package)
    before = path.read_bytes() if path.is_file() else files_of(path)
    for attempt in (lambda: check_writable(path), lambda: write(path, package)):
        with pytest.raises(UnwritableOutput, match="replaces nothing but a package"):
            attempt()
    assert before == (path.read_bytes() if path.is_file() else files_of(path))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("path", ["absent/m.model", "a\0b", "n" * 300, "~nobody-has-this-name/m", "loop/m"])
def test_a_place_that_cannot_be_written_is_said_clearly(package, tmp_path, path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnwritableOutput) as caught:
        write(path if path.startswith("~") else tmp_path / path, package)
    assert caught.value.fix
    assert [p.name for p in tmp_path.iterdir()] == ["loop"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder nobody can write to is needed")
def test_a_folder_that_refuses_is_said_clearly(package):
    with pytest.raises(UnwritableOutput, match="a place that can be written"):
        write("/proc/m.model", package)


@pytest.mark.parametrize("single_file", [False, True])
def test_when_the_disk_is_full_the_old_package_stays_and_nothing_else(package, make, catalogue, tmp_path, single_file):
    path = tmp_path / "m.model"
    named = write(path, package, single_file=single_file)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        with pytest.raises(UnwritableOutput, match="a place that can be written"):
            write(path, make(seed=1), single_file=single_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert read(path, catalogue).fingerprint == named
    assert [p.name for p in tmp_path.iterdir()] == ["m.model"]


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_package_or_none(catalogue, tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import make_package
from modelwright.packaging.writing import write
print("ready", flush=True)
for seed in range(100_000):
    write({str(tmp_path / "m.model")!r}, make_package(seed=seed))
"""
    n_whole = 0
    for delay in np.linspace(0.01, 0.2, 12):
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(delay)
        child.kill()
        child.communicate()
        if (tmp_path / "m.model").exists():
            assert read(tmp_path / "m.model", catalogue).fingerprint
            n_whole += 1
    assert n_whole > 0


class Stubborn:
    """A blend whose state cannot travel."""

    def __init__(self, **kept):
        self._kept = kept

    def state(self):
        return State("stubborn", **self._kept)


@pytest.mark.parametrize(
    "kept",
    [
        {"arrays": {"a": np.array([object()])}},
        {"arrays": {"a": np.array(["text"])}},
        {"arrays": {"a": np.zeros(2, complex)}},
        {"arrays": {"a": np.zeros((1,) * 5)}},
        {"meta": {"a": float("nan")}},
        {"meta": {"a": float("inf")}},
        {"meta": {"a": {1, 2}}},
        {"meta": {"a": b"bytes"}},
        {"meta": {("a", "b"): 1}},
    ],
)
def test_what_cannot_travel_is_refused_before_anything_is_written(package, tmp_path, kept):
    broken = replace(package, model=replace(package.model, blend=Stubborn(**kept)))
    with pytest.raises(InvalidPackage):
        write(tmp_path / "m.model", broken)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda p: {"golden": Golden((), p.golden.scores[:0])},
        lambda p: {"golden": Golden(p.golden.records * 3, np.tile(p.golden.scores, (3, 1)))},
        lambda p: {"golden": Golden(p.golden.records, p.golden.scores[:, :1])},
        lambda p: {"golden": Golden(p.golden.records, p.golden.scores * np.nan)},
        lambda p: {"sealed": replace(p.sealed, rows=("no hexadecimal digits",) * 8)},
        lambda p: {"sealed": replace(p.sealed, rows=p.sealed.rows[:3])},
        lambda p: {"sealed": replace(p.sealed, target=p.sealed.target + 5)},
        lambda p: {"documents": {"../evil.html": b""}},
    ],
)
def test_a_package_that_could_not_be_read_is_not_written(package, tmp_path, change):
    with pytest.raises(InvalidPackage):
        write(tmp_path / "m.model", replace(package, **change(package)))
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_sealed_rows_or_documents_is_one_too(package, catalogue, tmp_path):
    write(tmp_path / "m.model", replace(package, sealed=None, documents={}))
    opened = read(tmp_path / "m.model", catalogue)
    assert opened.sealed is None
    assert opened.documents == {}


def test_a_package_follows_the_umask(package, tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "m.model", package)
    finally:
        os.umask(before)
    assert (tmp_path / "m.model").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "m.model" / "state.json").stat().st_mode & 0o777 == 0o640
