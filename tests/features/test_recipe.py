import json

from modelwright.core.contract import Column, Contract, Kind, Level, Role
from modelwright.features.recipe import MAX_ENCODED, MAX_GAPS, MAX_TEXTS, recommend


def crafts(contract, **options):
    recipe = recommend(contract, **{"n_classes": 2, "n_rows": 5_000} | options)
    return {s.column: s.craft for s in recipe.steps}, {s.column: s.craft for s in recipe.encoded}


def test_each_kind_has_its_step_and_identifiers_none():
    contract = Contract(tuple(Column(kind.value, kind, n_distinct=11) for kind in Kind))
    steps, encoded = crafts(contract)
    assert steps == {
        "number": "number", "boolean": "number", "category": "category", "datetime": "calendar", "text": "text",
    }  # fmt: skip
    assert encoded == {"category": "target_mean", "text": "target_score"}


def test_columns_with_another_role_are_left_out():
    contract = Contract((Column("y", Kind.CATEGORY, Role.TARGET, n_distinct=50), Column("x", Kind.NUMBER)))
    assert crafts(contract) == ({"x": "number"}, {})


def test_the_target_encodes_more_than_ten_levels_also_when_they_are_only_listed():
    listed = tuple(Level(str(i), 1) for i in range(11))
    columns = (Column("ten", Kind.CATEGORY, n_distinct=10), Column("listed", Kind.CATEGORY, levels=listed))
    assert crafts(Contract(columns))[1] == {"listed": "target_mean"}


def test_limits_hold_on_wide_tables():
    wide = [Column(f"c{i}", Kind.CATEGORY, n_distinct=20 + i) for i in range(100)]
    texts = [Column(f"t{i}", Kind.TEXT, n_distinct=i) for i in range(10)]
    dates = [Column(f"d{i}", Kind.DATETIME) for i in range(9)]
    recipe = recommend(Contract((*wide, *texts, *dates)), n_classes=0, n_rows=100)
    by_craft = [s.craft for s in recipe.steps + recipe.encoded]
    assert by_craft.count("target_mean") == MAX_ENCODED
    assert "c99" in {s.column for s in recipe.encoded}
    assert by_craft.count("text") == by_craft.count("target_score") == MAX_TEXTS
    assert by_craft.count("text_counts") == 10 - MAX_TEXTS
    assert by_craft.count("gap") == MAX_GAPS


def test_a_recipe_is_plain_data_with_reasons():
    recipe = recommend(Contract((Column("a", Kind.DATETIME), Column("b", Kind.DATETIME))), n_classes=0, n_rows=9)
    data = json.loads(json.dumps(recipe.to_dict()))
    assert data["steps"][-1] == {"column": "b", "craft": "gap", "reason": recipe.steps[-1].reason, "other": "a"}
    assert all(step["reason"] for step in data["steps"])
