"""Imports only go down, every room is named, and ARCHITECTURE.md draws the same floors."""

import re

import floors


def test_every_room_has_a_floor():
    rooms = {p.name for p in floors.SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == set(floors.FLOORS)


def test_imports_only_go_down():
    complaints = [
        f"{i.module}:{i.line} imports {i.name}: {floors.complaint(i)}"
        for module, text in floors.modules().items()
        for i in floors.imports_of(module, text)
        if floors.complaint(i)
    ]
    assert complaints == []


def test_the_check_can_fail():
    text = "def f():\n    from modelwright.search.race import Race\n    import lightgbm\n"
    planted = floors.imports_of("modelwright.data.reading", text)
    assert [bool(floors.complaint(i)) for i in planted] == [True, True]
    assert floors.complaint(floors.Import("modelwright.ui.cli", 1, "modelwright.data.reading"))
    assert floors.complaint(floors.Import("modelwright.flows.train", 1, "modelwright.search.race")) == ""


def test_no_rings():
    top_level = {
        m: {i.name for i in floors.imports_of(m, t, top_level=True) if i.name != m} for m, t in floors.modules().items()
    }
    order: list[str] = []
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, f"a ring: {' → '.join((*path, module))}"
        if state.get(module) == 2:
            return
        state[module] = 1
        for target in sorted(top_level.get(module, ())):
            visit(target, (*path, module))
        state[module] = 2
        order.append(module)

    for module in top_level:
        visit(module, ())
    assert len(order) >= len(top_level)


def test_room_doors_hold_a_sentence_and_no_imports():
    for room in floors.FLOORS:
        text = (floors.SOURCE / room / "__init__.py").read_text()
        assert text.startswith('"""')
        assert floors.imports_of(room, text) == []


def test_architecture_draws_the_same_floors():
    drawn = {}
    for line in (floors.ROOT / "ARCHITECTURE.md").read_text().splitlines():
        row = re.fullmatch(r"\| (\d) \| `(\w+)` \|.*", line)
        if row:
            drawn[row[2]] = int(row[1])
    assert drawn == floors.FLOORS
