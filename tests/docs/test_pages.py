"""Every page can be found: from the start page, from the menu, and decisions from their index."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text().splitlines()
    named = {line.split()[-1] for line in menu}
    assert {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} <= named


def test_the_start_page_leads_to_every_chapter():
    start = (DOCS / "index.md").read_text()
    chapters = {page.name for page in DOCS.glob("*.md")} - {"index.md"}
    assert {name for name in chapters if f"({name})" not in start} == set()


def test_the_index_of_decisions_leads_to_every_decision():
    index = (DOCS / "decisions" / "index.md").read_text()
    decisions = {page.name for page in (DOCS / "decisions").glob("0*.md")}
    assert {name for name in decisions if f"({name})" not in index} == set()
