"""What every part of the fake account shares: its objects, its clock, their identities, and its announcements."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol

from tallystick.integrations.stripe.fake.assumptions import Assumptions
from tallystick.integrations.stripe.fake.clock import VirtualClock
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.refusals import Refused, missing, wrong

API_VERSION = "2026-08-26.dahlia"
MAX_METADATA = 50


class Call(NamedTuple):
    """A request that was read: what an operation is given.

    Attributes:
        params: by the description.
        ids: from the path.
        idempotency_key: what the client called the request, if anything.
    """

    params: Object
    ids: Mapping[str, str] = {}
    idempotency_key: str | None = None


class Served(NamedTuple):
    """How the fake does one operation.

    Attributes:
        do: does it and gives the answer.
        honours: the parameters that it acts on; others are refused, so that none is ignored in silence.
    """

    do: Callable[[Call], Object]
    honours: frozenset[str]


class Resource(Protocol):
    """A part of the account that serves operations, named as the description names them."""

    def operations(self) -> Mapping[str, Served]:
        """What it serves."""
        ...


class Table(dict[str, Object]):
    """Objects of a kind by identity, oldest first."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def need(self, identity: str, param: str | None = None) -> Object:
        """An object that has to be there.

        Raises:
            Refused: it is not. With a parameter it is that which is wrong, without it the path.
        """
        found = self.get(identity)
        if found is None or found.get("deleted"):
            raise missing(self.kind, identity, param)
        return found


class World:
    """The state of an account, and what happens to it."""

    def __init__(self, clock: VirtualClock, assumed: Assumptions, seed: int) -> None:
        self.clock = clock
        self.assumed = assumed
        self.random = Random(seed)  # noqa: S311 - chance is to be repeatable, not secret
        self.customers = Table("customer")
        self.products = Table("product")
        self.prices = Table("price")
        self.meters = Table("billing meter")
        self.subscriptions = Table("subscription")
        self.subscription_items = Table("subscription_item")
        self.invoices = Table("invoice")
        self.invoice_items = Table("invoiceitem")
        self.credit_notes = Table("credit_note")
        self.tiers: dict[str, list[Object]] = {}  # of prices: shown only to those who ask for them
        self.lines: dict[str, list[Object]] = {}  # of invoices
        self.listeners: list[Callable[[str, Object], None]] = []
        self._last: dict[str, int] = {}

    @property
    def now(self) -> int:
        """Now, in the whole seconds of Unix time that objects carry."""
        return int(self.clock.seconds)

    def new_id(self, prefix: str) -> str:
        """An identity that is new: `cus_00000000000001`. The same run makes the same ones."""
        self._last[prefix] = self._last.get(prefix, 0) + 1
        return f"{prefix}_{self._last[prefix]:014d}"

    def announce(self, kind: str, about: Object) -> None:
        """Tell those who listen that something happened to an object."""
        for listener in self.listeners:
            listener(kind, about)


def serves(do: Callable[[Call], Object], honours: str = "") -> Served:
    """How an operation is done; `honours` names its parameters, apart by spaces."""
    return Served(do, frozenset(honours.split()))


def page(call: Call, found: Iterable[Object], url: str) -> Object:
    """A page of a list, in the order given.

    Raises:
        Refused: the limit is out of bounds, or a cursor names nothing in the list.
    """
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise wrong(f"Invalid limit: {limit}; must be between 1 and 100", "limit")
    items = list(found)
    if (after := call.params.get("starting_after")) is not None:
        items = items[_place(items, after, "starting_after") + 1 :]
    if (before := call.params.get("ending_before")) is not None:
        items = items[max(0, _place(items, before, "ending_before") - limit) : _place(items, before, "ending_before")]
    return {"object": "list", "data": items[:limit], "has_more": len(items) > limit, "url": url}


PAGING = "limit starting_after ending_before"


def newest_first(table: Table) -> Iterable[Object]:
    """What is in a table and not deleted, as Stripe's lists have it."""
    return (each for each in reversed(table.values()) if not each.get("deleted"))


def matching(found: Iterable[Object], **wanted: Any) -> Iterable[Object]:
    """Those whose fields have these values; None wants nothing in particular."""
    asked = {name: value for name, value in wanted.items() if value is not None}
    return (each for each in found if all(each.get(name) == value for name, value in asked.items()))


def created_in(found: Iterable[Object], bounds: int | Mapping[str, int] | None) -> Iterable[Object]:
    """Those made in an interval, as the parameter `created` gives it."""
    if bounds is None:
        return found
    if isinstance(bounds, int):
        return (each for each in found if _made_at(each) == bounds)
    return (each for each in found if _within(_made_at(each), bounds))


def _made_at(found: Object) -> int:
    """When it was made: an invoice item calls that its date."""
    return int(found["created"] if "created" in found else found["date"])


def merged(metadata: Mapping[str, str] | None, changes: Mapping[str, str] | str | None) -> dict[str, str]:
    """Metadata after an update: an empty value takes its key away, an empty text takes all.

    Raises:
        Refused: there would be too many keys, or one is too long.
    """
    if changes == "":
        return {}
    after = {**(metadata or {}), **(changes if isinstance(changes, Mapping) else {})}
    after = {key: value for key, value in after.items() if value != ""}
    if len(after) > MAX_METADATA:
        raise wrong(f"Metadata can have at most {MAX_METADATA} keys", "metadata")
    for key, value in after.items():
        if len(key) > 40 or len(value) > 500:
            raise wrong("Metadata keys have at most 40 characters and values at most 500", f"metadata[{key}]")
    return after


def _place(items: list[Object], identity: str, param: str) -> int:
    for index, each in enumerate(items):
        if each["id"] == identity:
            return index
    raise Refused(400, f"No such object: '{identity}'", code="resource_missing", param=param)


def _within(created: int, bounds: Mapping[str, int]) -> bool:
    return bounds.get("gte", created) <= created <= bounds.get("lte", created) and bounds.get(
        "gt", created - 1
    ) < created < bounds.get("lt", created + 1)
