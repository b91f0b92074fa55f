from decimal import Decimal

import pytest

from tallystick.catalog.errors import CatalogueError, Problems
from tallystick.catalog.reader import Node, read


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(entry.node) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def read_text(source):
    problems = Problems("f.yaml")
    node = read(source, problems)
    problems.raise_if_any()
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10", Decimal("0.10")),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
        ("1e3", Decimal(1000)),
        ("0x1F", Decimal(31)),
        ("0o17", Decimal(15)),
        ("010", Decimal(10)),
        ("-.5", Decimal("-0.5")),
        ("'0.1'", "0.1"),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("12:30", "12:30"),
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("1_000", "1_000"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("!!str 5", "5"),
    ],
)
def test_scalars_are_what_yaml_1_2_says(text, value):
    assert plain(read_text(f"key: {text}")) == {"key": value}


def test_no_number_becomes_a_float():
    values = plain(read_text("[1, 1.5, 1e-7, .inf, .nan, 1e99999999999999999999]"))
    assert all(isinstance(value, Decimal) for value in values)


def test_every_value_knows_its_line_and_column():
    root = read_text("a: 1\nb:\n  - x\n  - y: z\n")
    entry = root.value["b"]
    assert (entry.line, entry.column) == (2, 1)
    inner = entry.node.value[1].value["y"]
    assert (inner.line, inner.column, inner.node.line, inner.node.column) == (4, 5, 4, 8)


def test_anchors_and_merge_keys_work_and_own_keys_win():
    source = "base: &base {x: 1, y: 2}\na: {<<: *base, y: 3}\nb: {<<: [{x: 9}, *base]}\nc: *base\n"
    assert plain(read_text(source)) == {
        "base": {"x": 1, "y": 2},
        "a": {"x": 1, "y": 3},
        "b": {"x": 9, "y": 2},
        "c": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a: 1\na: 2", "f.yaml:2: a: appears twice; it is set in line 1 already"),
        ("a:\n  'on': 1\n  on: 2", "f.yaml:3: a.on: appears twice; it is set in line 2 already"),
        ("", "f.yaml:1:1: the file is empty; it begins with `version: 1`"),
        ("# nothing\n", "f.yaml:1:1: the file is empty; it begins with `version: 1`"),
        (
            "a: [1\nb: 2",
            "f.yaml:2:2: not valid YAML: expected ',' or ']', but got ':' (while "
            "parsing a flow sequence that begins in line 1)",
        ),
        ("a:\n\t- b", "f.yaml:2:1: not valid YAML: a tab can't indent; use spaces"),
        ("a: b: c", "f.yaml:1:5: not valid YAML: mapping values are not allowed here"),
        ("a: *x", "f.yaml:1:4: not valid YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: not valid YAML: a second document begins here; only one is allowed"),
        (
            "a: 'b",
            "f.yaml:1:6: not valid YAML: found unexpected end of stream (while "
            "scanning a quoted scalar that begins in line 1)",
        ),
        ("a: 1\nb: \x07", "f.yaml:2:4: the character U+0007 is not allowed in YAML"),
        ("&a [*a]", "f.yaml:1:1: this anchor contains itself"),
        ("[" * 3000, "f.yaml:1:1: values are nested too deeply"),
        ("{[1]: 2}", "f.yaml:1:2: a key must be text, not a list or a mapping"),
        (
            "a: !!python/object:os.system x",
            "f.yaml:1: a: the tag !!python/object:os.system does not fit here; leave it out",
        ),
        ("a: !!int abc", "f.yaml:1: a: the tag !!int does not fit here; leave it out"),
        ("a: {<<: 5}", "f.yaml:1: a: `<<` takes a mapping, or a list of mappings"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_its_place(source, message):
    with pytest.raises(CatalogueError) as raised:
        read_text(source)
    assert str(raised.value) == message


def test_aliases_can_not_multiply_without_end():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    with pytest.raises(CatalogueError, match="aliases expand to more than 1,000,000 values"):
        read_text("\n".join(lines))
