"""The page on the role: nine activities, sixteen measures, nine stages."""

from modelwright.flows.handbook import page_of_role, role, role_text
from modelwright.handbook.role import ACTIVITIES, MEASURES, PARTS, STAGES
from modelwright.ui.cli import main


def test_everything_the_role_consists_of_is_there():
    assert (len(ACTIVITIES.items), len(MEASURES.items), len(STAGES.items)) == (9, 16, 9)
    for part in PARTS:
        for item in part.items:
            assert len(item.means) > 30
            assert len(item.where) > 20


def test_only_commands_that_exist_are_shown():
    sections = role(set(main.commands))
    for section in sections:
        for row in section.rows:
            for command in row.commands:
                assert command.split()[0] == "modelwright"
                assert command.split()[1] in main.commands
    assert all(row.commands for row in sections[0].rows)


def test_it_is_a_page_and_a_text():
    sections = role(set(main.commands))
    page, text = page_of_role(sections), role_text(sections, 72)
    for name in ("Phone screening", "Staying up to date with methods", "MAPE"):
        assert name in page
        assert name in text
    assert "<script" not in page
    assert max(map(len, text.splitlines())) <= 100
