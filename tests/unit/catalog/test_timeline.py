from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.catalog.models import ChangeKind
from tallystick.catalog.timeline import (
    BEGINNING,
    END,
    Entry,
    Timeline,
    Version,
    edits,
    keeping_the_past,
)


def day(n):
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def line(*versions):
    """Stored versions from (content, first day or None, last day or None)."""
    return [
        Version(
            content,
            BEGINNING if start is None else day(start),
            END if end is None else day(end),
            id=i,
        )
        for i, (content, start, end) in enumerate(versions, 1)
    ]


def spans(versions):
    def number(moment):
        return None if moment in (BEGINNING, END) else (moment - day(0)).days

    return [(v.content, number(v.start), number(v.end)) for v in versions]


def follow(stored, now, *entries):
    timeline = Timeline(day(now), stored)
    timeline.follow([Entry(content, None if start is None else day(start)) for content, start in entries])
    return timeline


FILES = [
    # what is stored, the day, the entries, what is stored then, the kinds of the shifts
    ("the first holds from the beginning", [], 10, [("a", None)], [("a", None, None)], ["add"]),
    ("the same changes nothing", [("a", None, None)], 10, [("a", None)], [("a", None, None)], []),
    (
        "another begins now",
        [("a", None, None)],
        10,
        [("b", None)],
        [("a", None, 10), ("b", 10, None)],
        ["change"],
    ),
    (
        "two at first are a history",
        [],
        10,
        [("a", None), ("b", 5)],
        [("a", None, 5), ("b", 5, None)],
        ["add", "add"],
    ),
    (
        "a price to come leaves what holds until then",
        [("a", None, None)],
        10,
        [("a", None), ("b", 20)],
        [("a", None, 20), ("b", 20, None)],
        ["change"],
    ),
    (
        "a price to come alone does so, too",
        [("a", None, None)],
        10,
        [("b", 20)],
        [("a", None, 20), ("b", 20, None)],
        ["change"],
    ),
    (
        "what is to come and is not named any more is withdrawn",
        [("a", None, 20), ("b", 20, None)],
        10,
        [("a", None)],
        [("a", None, None)],
        ["end"],
    ),
    (
        "what is to come can be put off",
        [("a", None, 20), ("b", 20, None)],
        10,
        [("a", None), ("b", 30)],
        [("a", None, 30), ("b", 30, None)],
        ["end", "change"],
    ),
    (
        "what is to come can be corrected",
        [("a", None, 20), ("b", 20, None)],
        10,
        [("a", None), ("c", 20)],
        [("a", None, 20), ("c", 20, None)],
        ["correct"],
    ),
    (
        "a version in the past is put between those there are",
        [("a", None, 8), ("b", 8, None)],
        10,
        [("b", 8), ("c", 4)],
        [("a", None, 4), ("c", 4, 8), ("b", 8, None)],
        ["change"],
    ),
    (
        "a version in the past is corrected in its place",
        [("a", None, 4), ("b", 4, 8), ("c", 8, None)],
        10,
        [("x", 4), ("c", 8)],
        [("a", None, 4), ("x", 4, 8), ("c", 8, None)],
        ["correct"],
    ),
    (
        "beside begun entries the undated one is what was before them",
        [("a", None, 4), ("b", 4, None)],
        10,
        [("a", None), ("b", 4)],
        [("a", None, 4), ("b", 4, None)],
        [],
    ),
    (
        "and changing it there is a correction",
        [("a", None, 4), ("b", 4, None)],
        10,
        [("x", None), ("b", 4)],
        [("x", None, 4), ("b", 4, None)],
        ["correct"],
    ),
    (
        "history may be left out of the file",
        [("a", None, 4), ("b", 4, None)],
        10,
        [("b", None)],
        [("a", None, 4), ("b", 4, None)],
        [],
    ),
    (
        "the last entry that has begun is what holds now",
        [("a", None, 4), ("b", 4, 8), ("c", 8, None)],
        10,
        [("a", None), ("b", 4)],
        [("a", None, 4), ("b", 4, 8), ("c", 8, 10), ("b", 10, None)],
        ["change"],
    ),
    (
        "what was ended begins again now",
        [("a", None, 5)],
        10,
        [("a", None)],
        [("a", None, 5), ("a", 10, None)],
        ["add"],
    ),
    (
        "beside what is only to come the undated one holds from the beginning",
        [("b", 20, None)],
        10,
        [("a", None), ("b", 20)],
        [("a", None, 20), ("b", 20, None)],
        ["add"],
    ),
    (
        "two applies at one instant leave one version",
        [("a", None, 10), ("b", 10, None)],
        10,
        [("c", None)],
        [("a", None, 10), ("c", 10, None)],
        ["correct"],
    ),
]


@pytest.mark.parametrize(
    ("stored", "now", "entries", "expected", "kinds"), [case[1:] for case in FILES], ids=[case[0] for case in FILES]
)
def test_a_file_is_laid_over_what_is_stored(stored, now, entries, expected, kinds):
    timeline = follow(line(*stored), now, *entries)
    assert spans(timeline.versions) == expected
    assert [str(shift.kind) for shift in timeline.shifts] == kinds


@pytest.mark.parametrize(
    ("stored", "entries", "retroactive"),
    [
        ([], [("a", None), ("b", 5)], False),
        ([("b", 20, None)], [("a", None), ("b", 20)], False),
        ([("a", None, None)], [("b", None)], False),
        ([("a", None, None)], [("a", None), ("b", 20)], False),
        ([("a", None, None)], [("a", None), ("b", 5)], True),
        ([("a", None, None)], [("a", None), ("a", 5)], False),
        ([("a", None, 5), ("b", 5, None)], [("a", None), ("c", 5)], True),
        ([("a", None, 20), ("b", 20, None)], [("a", None), ("c", 20)], False),
    ],
)
def test_only_what_changes_the_past_is_retroactive(stored, entries, retroactive):
    timeline = follow(line(*stored), 10, *entries)
    assert any(shift.retroactive for shift in timeline.shifts) is retroactive


def test_a_removed_entry_ends_now_and_what_was_to_come_is_withdrawn():
    timeline = Timeline(day(10), line(("a", None, 20), ("b", 20, None)))
    timeline.finish()
    assert spans(timeline.versions) == [("a", None, 10)]
    assert [(shift.kind, shift.withdrawn) for shift in timeline.shifts] == [
        (ChangeKind.END, True),
        (ChangeKind.END, False),
    ]


def test_what_has_ended_does_not_end_again():
    timeline = Timeline(day(10), line(("a", None, 5)))
    timeline.finish()
    assert timeline.shifts == []


def test_edits_supersede_what_was_corrected_and_bound_what_was_cut():
    stored = line(("a", None, 4), ("b", 4, None))
    after = follow(stored, 10, ("x", None), ("b", 4), ("c", 20)).versions
    changes = edits(stored, after)
    assert changes.superseded == (1,)
    assert spans(changes.bounded) == [("b", 4, 20)]
    assert spans(changes.inserted) == [("x", None, 4), ("c", 20, None)]


def test_a_version_cut_in_the_past_is_kept_as_it_was_known():
    stored = line(("a", None, None))
    after = follow(stored, 10, ("a", None), ("b", 5)).versions
    changes = keeping_the_past(edits(stored, after), day(10))
    assert changes.superseded == (1,)
    assert changes.bounded == ()
    assert spans(changes.inserted) == [("a", None, 5), ("b", 5, None)]


FILE = st.tuples(
    st.none() | st.sampled_from("abc"),
    st.dictionaries(st.integers(0, 40), st.sampled_from("abc"), max_size=3),
)
HISTORY = st.lists(st.tuples(st.integers(0, 8), st.none() | FILE), min_size=1, max_size=8)


def entries_of(file):
    undated, dated = file
    return [Entry(content, day(n)) for n, content in dated.items()] + ([Entry(undated, None)] if undated else [])


def store(stored, versions):
    """What the database holds after the edits, as the store writes them."""
    changes = edits(stored, versions)
    bounds = {version.id: version.end for version in changes.bounded}
    kept = [v for v in stored if v.id not in changes.superseded]
    kept = [Version(v.content, v.start, bounds.get(v.id, v.end), v.id) for v in kept]
    first = max((v.id for v in stored), default=0) + 1
    new = [Version(v.content, v.start, v.end, id) for id, v in enumerate(changes.inserted, first)]
    return sorted(kept + new, key=lambda version: version.start)


def content_at(versions, moment):
    found = [version.content for version in versions if version.start <= moment < version.end]
    assert len(found) <= 1, "two versions hold at once"
    return found[0] if found else None


@settings(max_examples=400, deadline=None)
@given(HISTORY)
def test_any_history_of_files_keeps_the_laws(history):
    stored: list[Version[str]] = []
    now = 0
    for passed, file in history:
        now += passed
        timeline = Timeline(day(now), stored)
        entries = entries_of(file) if file else []
        timeline.follow(entries) if entries else timeline.finish()
        after = store(stored, timeline.versions)

        assert spans(after) == spans(timeline.versions)
        if not timeline.new and not any(shift.retroactive for shift in timeline.shifts):
            for n in range(now):
                assert content_at(after, day(n)) == content_at(stored, day(n))
        if entries:
            assert_says_what_the_file_says(after, file, now)
        for later in (now, now + 3, now + 50):
            again = Timeline(day(later), after)
            again.follow(entries) if entries else again.finish()
            assert again.shifts == []
        stored = after


def assert_says_what_the_file_says(versions, file, now):
    undated, dated = file
    for n, content in dated.items():
        assert content_at(versions, day(n)) == content
    begun = [n for n in dated if n <= now]
    current = dated[max(begun)] if begun else undated
    if current:
        assert content_at(versions, day(now)) == current


def follow_spans(stored, now, *entries):
    """What is stored after a file with entries (content, start, end) was applied, and the kinds of the shifts."""

    def instant(n):
        return None if n is None else day(n)

    timeline = Timeline(day(now), line(*stored))
    timeline.follow([Entry(content, instant(start), instant(end)) for content, start, end in entries])
    return spans(timeline.versions), [str(shift.kind) for shift in timeline.shifts]


ENDS = [
    ("one that ends holds until then", [], 10, [("a", None, 20)], [("a", None, 20)], ["add"]),
    ("and is not ended twice", [("a", None, 20)], 10, [("a", None, 20)], [("a", None, 20)], []),
    ("also with a start", [], 10, [("a", 5, 20)], [("a", 5, 20)], ["add"]),
    ("one that has ended can be the first", [], 10, [("a", None, 5)], [("a", None, 5)], ["add"]),
    ("what holds can be given an end", [("a", None, None)], 10, [("a", None, 20)], [("a", None, 20)], ["end"]),
    ("the end can move back", [("a", 5, 30)], 10, [("a", 5, 20)], [("a", 5, 20)], ["end"]),
    ("or on", [("a", 5, 20)], 10, [("a", 5, 30)], [("a", 5, 30)], ["change"]),
    ("or be taken back", [("a", 5, 20)], 10, [("a", 5, None)], [("a", 5, None)], ["change"]),
    ("one that has ended stays ended", [("a", 5, 8)], 10, [("a", 5, 8)], [("a", 5, 8)], []),
    (
        "it begins again now when its end is taken out",
        [("a", 5, 8)],
        10,
        [("a", 5, None)],
        [("a", 5, 8), ("a", 10, None)],
        ["add"],
    ),
    (
        "an end where the next begins is no gap",
        [],
        10,
        [("a", 5, 20), ("b", 20, None)],
        [("a", 5, 20), ("b", 20, None)],
        ["add", "change"],
    ),
    (
        "a gap stays between the two",
        [],
        10,
        [("a", 5, 15), ("b", 20, None)],
        [("a", 5, 15), ("b", 20, None)],
        ["add", "add"],
    ),
    (
        "a gap can be closed",
        [("a", 5, 15), ("b", 20, None)],
        10,
        [("a", 5, None), ("b", 20, None)],
        [("a", 5, 20), ("b", 20, None)],
        ["change"],
    ),
    (
        "another price may hold for some time",
        [("a", None, None)],
        10,
        [("b", 20, 30), ("a", 30, None)],
        [("a", None, 20), ("b", 20, 30), ("a", 30, None)],
        ["change", "change"],
    ),
    (
        "what the file does not name any more ends now",
        [("a", 2, 5), ("b", 5, None)],
        10,
        [("a", 2, 5)],
        [("a", 2, 5), ("b", 5, 10)],
        ["end"],
    ),
    ("an end in the past cuts the past", [("a", 2, None)], 10, [("a", 2, 5)], [("a", 2, 5)], ["end"]),
]


@pytest.mark.parametrize(
    ("stored", "now", "entries", "expected", "kinds"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS]
)
def test_a_price_that_ends_leaves_nothing_until_the_next_begins(stored, now, entries, expected, kinds):
    assert follow_spans(stored, now, *entries) == (expected, kinds)
    assert follow_spans(expected, now, *entries) == (expected, [])


def test_an_end_in_the_past_is_retroactive_and_one_to_come_is_not():
    for end, retroactive in ((5, True), (20, False)):
        timeline = Timeline(day(10), line(("a", 2, None)))
        timeline.follow([Entry("a", day(2), day(end))])
        assert [shift.retroactive for shift in timeline.shifts] == [retroactive]
