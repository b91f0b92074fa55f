"""A plan of changes as plain text, for a terminal, a log or an answer of the API."""

from collections import Counter
from collections.abc import Iterator

from tallystick.catalog.models import Change, ChangeKind, Plan, instant_text

_SIGNS = {ChangeKind.ADD: "+", ChangeKind.CHANGE: "~", ChangeKind.CORRECT: "~", ChangeKind.END: "-"}
_KINDS = (ChangeKind.ADD, ChangeKind.CHANGE, ChangeKind.CORRECT, ChangeKind.END)


def render_plan(plan: Plan) -> str:
    """One paragraph a change (`+` added, `~` changed or corrected, `-` ended), then how many there are.

    Below a change stand its keys, as `key: old → new` where both are there. `no changes` if there are none.
    """
    if not plan.differences:
        return "no changes"
    return "\n".join([*_paragraphs(plan.differences), "", _summary(plan)])


def _paragraphs(changes: list[Change]) -> Iterator[str]:
    for change in changes:
        mark = " RETROACTIVE" if change.retroactive else ""
        yield f"{_SIGNS[change.kind]} {headline(change)}{mark}"
        if change.kind is not ChangeKind.END:
            yield from (f"    {line}" for line in change.lines)


def headline(change: Change) -> str:
    """What happens, to what and when, in one line: `price standard/storage from 2026-04-01T00:00:00Z`."""
    corrected = ["(corrected)"] if change.kind is ChangeKind.CORRECT else []
    note = [f"({change.note})"] if change.note else []
    return " ".join([change.subject, *_when(change), *corrected, *note])


def _when(change: Change) -> Iterator[str]:
    if change.effective_from:
        yield f"from {instant_text(change.effective_from)}"
    if change.effective_to:
        word = "ends" if change.kind is ChangeKind.END else "until"
        yield f"{word} {instant_text(change.effective_to)}"


def _summary(plan: Plan) -> str:
    counts = Counter(change.kind for change in plan.differences)
    text = ", ".join(f"{counts[kind]} to {kind}" for kind in _KINDS if counts[kind])
    if not plan.retroactive:
        return text
    return f"{text}; {len(plan.retroactive)} RETROACTIVE: what past usage counts or costs changes"
