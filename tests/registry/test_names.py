"""Names and references: strict, and never mistaken for a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.core.errors import InvalidName
from modelwright.registry.names import check_name, may_be_ref, parse_ref


@pytest.mark.parametrize("name", ["churn", "a", "House_prices-2", "x" * 64])
def test_a_name_is_letters_digits_and_strokes(name):
    assert check_name(name) == name
    assert may_be_ref(name)


@pytest.mark.parametrize(
    "name",
    ["", "4", "-a", "a-", "a.b", "a/b", "../a", "a b", "a'", 'a"; drop', "ä", "a\n", "x" * 65, "a@1", "a\x00"],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InvalidName, match="1 to 64 letters"):
        check_name(name)


def test_a_reference_names_a_version_or_an_alias():
    assert str(parse_ref("churn")) == "churn@champion"
    assert str(parse_ref("churn@challenger")) == "churn@challenger"
    assert parse_ref("churn@12").number == 12


@pytest.mark.parametrize("text", ["churn@", "churn@0", "churn@-1", "churn@01", "churn@best", "churn@1@2", "churn@1.0"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(InvalidName, match="behind @"):
        parse_ref(text)


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_refused(text):
    try:
        ref = parse_ref(text)
    except InvalidName:
        return
    assert parse_ref(str(ref)) == ref
    assert may_be_ref(text)


@pytest.mark.parametrize("path", ["churn.model", "./churn", "/tmp/churn", "a/b", "churn.model@1"])
def test_a_path_is_no_reference(path):
    assert not may_be_ref(path)
