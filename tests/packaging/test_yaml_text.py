"""What is written as YAML is read back as the same data, whatever the texts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.packaging.yaml_text import yaml_text

yaml = pytest.importorskip("yaml")
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e6, 1e6) | st.text(max_size=20)
DATA = st.dictionaries(
    st.text(max_size=12),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    min_size=1,
    max_size=5,
)


@given(DATA)
def test_any_data_comes_back(data):
    assert yaml.safe_load(yaml_text(data)) == data


@pytest.mark.parametrize(
    "text", ["yes", "1e3", "!!python/object:os.system", "a: b", "- x", "#", "\n---\nkind: Secret", "{{ x }}"]
)
def test_a_text_stays_a_text(text):
    assert yaml.safe_load(yaml_text({"a": [text], text: text})) == {"a": [text], text: text}


def test_notes_are_comments():
    assert yaml_text({"a": 1, "b": 2}, {"b": "why\nso"}) == "a: 1\n# why\n# so\nb: 2\n"
