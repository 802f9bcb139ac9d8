"""What is documented is what there is."""

import re
import tomllib

import pytest
from floors import ROOT

from modelwright.core.settings import SETTINGS, Settings
from modelwright.ui.cli import main


def test_every_setting_has_help_a_default_and_an_option():
    options = {p.name for p in main.commands["train"].params}
    for setting in SETTINGS:
        assert setting.help.endswith(".")
        assert setting.default
        assert setting.name in options
    assert {s.name for s in SETTINGS} == set(Settings.__slots__)


def test_every_command_stands_in_the_reference():
    text = (ROOT / "docs" / "reference" / "cli.md").read_text()
    for name in main.commands:
        assert f"## modelwright {name}\n" in text


def test_every_decision_is_listed():
    listed = (ROOT / "docs" / "decisions" / "index.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert f"({page.name})" in listed


def test_the_changelog_speaks_of_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == version


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_of_the_front_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text()):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_lock_file_pins_with_hashes_and_names_no_address():
    text = (ROOT / "requirements" / "dev.txt").read_text()
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9].*", text, re.MULTILINE)
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
