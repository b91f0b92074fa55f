"""Meters and prices at Stripe, made of the catalogue or adopted where they are there already: a plan, then the deed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from tallystick.billing.teams.store import plans_on_offer
from tallystick.catalog.price_book import PriceBook
from tallystick.core.clock import Clock, Interval
from tallystick.integrations.stripe.client import call
from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.api import MeterApi
from tallystick.integrations.stripe.meters.models import Meter
from tallystick.integrations.stripe.meters.translating import CannotTranslate, Translated, translated
from tallystick.metering.models import MetricDefinition
from tallystick.metering.service import Metering
from tallystick.pricing import Price
from tallystick.storage.database import Database

LONGEST_NAME = 100
KEYS_OF_A_CALL = 10


class Action(StrEnum):
    """What is done about a meter or a price."""

    KEEP = "keep"
    ADOPT = "adopt"
    CREATE = "create"
    REFUSE = "refuse"


class Step(NamedTuple):
    """What is to be done about a meter (of a metric) or a price (of a plan), and why not.

    Attributes:
        metric: which is measured.
        plan: of a price, its plan; None: the step is about the meter.
        price: of a price, its name.
        action: what is done.
        stripe_id: the meter or price there is already.
        note: why it is refused.
        translated: of a price that is to be made, how.
    """

    metric: str
    plan: str | None
    price: str | None
    action: Action
    stripe_id: str | None = None
    note: str = ""
    translated: Translated | None = None


class _Priced(NamedTuple):
    plan: str
    price: Price
    translated: Translated | str


@dataclass(frozen=True, slots=True)
class MeterCatalogue:
    """Brings the meters and prices of an account in line with the catalogue."""

    database: Database
    metering: Metering
    clock: Clock
    api: MeterApi

    async def plan(self) -> list[Step]:
        """What would be done, meters first.

        Raises:
            StripeRefused: the account can't be looked at.
        """
        definitions = {name: of[-1].definition for name, of in (await self.metering.usage.metrics()).items()}
        priced = await self._priced()
        metrics = sorted({each.price.metric for each in priced if each.price.metric})
        kept, there = await self._kept(), await self._meters()
        meters = [_meter_step(definitions[metric], kept.get(metric), there) for metric in metrics]
        usable = {step.metric for step in meters if step.action is not Action.REFUSE}
        prices = await self._prices([each for each in priced if each.price.metric in usable])
        return [*meters, *prices]

    async def apply(self, steps: Sequence[Step]) -> int:
        """Do what a plan says; how much was made or adopted. What was done is kept when a later step fails.

        Raises:
            StripeRefused: something can't be made.
        """
        wanted = [step for step in steps if step.action in (Action.CREATE, Action.ADOPT)]
        for step in wanted:
            if step.plan is None:
                await self._make_meter(step)
            else:
                await self._make_price(step)
        return len(wanted)

    async def _make_meter(self, step: Step) -> None:
        found = await self._create_meter(step.metric) if step.stripe_id is None else await self._meter(step.stripe_id)
        async with self.database.transaction() as tx:
            await store.keep_meter(tx, self.api.account, _kept(step.metric, found), self.clock.now())

    async def _create_meter(self, metric: str) -> Any:
        params = {"display_name": metric, "event_name": metric, "default_aggregation": {"formula": "sum"}}
        return await call("create a meter", self.api.client.v1.billing.meters.create, params, _key("meter", metric))

    async def _meter(self, stripe_id: str) -> Any:
        return await call("look at a meter", self.api.client.v1.billing.meters.retrieve, stripe_id)

    async def _make_price(self, step: Step) -> None:
        assert step.translated is not None
        assert step.plan is not None
        stripe_id = step.stripe_id or await self._create_price(step, step.translated)
        values = {"lookup_key": step.translated.lookup_key, "plan": step.plan, "price": step.price or step.metric}
        async with self.database.transaction() as tx:
            await store.keep_price(tx, self.api.account, {**values, "stripe_id": stripe_id}, self.clock.now())

    async def _create_price(self, step: Step, wanted: Translated) -> str:
        kept = (await self._kept())[step.metric]
        params: Any = {
            **wanted.params,
            "lookup_key": wanted.lookup_key,
            "product_data": {"name": f"{step.plan}: {step.price}"},
            "metadata": {"tallystick_plan": step.plan, "tallystick_price": step.price},
        }
        params["recurring"] = {**params["recurring"], "meter": kept.meter_id}
        key = _key("price", wanted.lookup_key)
        made = await call("create a price", self.api.client.v1.prices.create, params, key)
        return str(made.id)

    async def _kept(self) -> dict[str, Meter]:
        async with self.database.snapshot() as tx:
            return {each.metric: each for each in await store.meters_of(tx, self.api.account)}

    async def _meters(self) -> dict[str, Any]:
        """Every meter of the account, by the event name that is its alone."""

        def listed() -> dict[str, Any]:
            found = self.api.client.v1.billing.meters.list({"limit": 100}).auto_paging_iter()
            return {each.event_name: each for each in found}

        return await call("list meters", listed)

    async def _priced(self) -> list[_Priced]:
        now = self.clock.now()
        async with self.database.snapshot() as tx:
            plans = [offer.name for offer in await plans_on_offer(tx)]
            span = Interval(now, now + now.resolution)
            book = await PriceBook.load(tx, plans, span)
        return [
            _Priced(plan, version.price, _translate(plan, book, version.price))
            for plan in plans
            for version in book.prices(plan, span)
            if version.price.metric is not None
        ]

    async def _prices(self, priced: Sequence[_Priced]) -> list[Step]:
        async with self.database.snapshot() as tx:
            kept = await store.prices_of(tx, self.api.account)
        wanted = [each.translated.lookup_key for each in priced if isinstance(each.translated, Translated)]
        there = await self._by_lookup_key([key for key in wanted if key not in kept])
        return [_price_step(each, kept, there) for each in priced]

    async def _by_lookup_key(self, keys: Sequence[str]) -> dict[str, str]:
        def listed() -> Iterator[tuple[str, str]]:
            for start in range(0, len(keys), KEYS_OF_A_CALL):
                params: Any = {"lookup_keys": list(keys[start : start + KEYS_OF_A_CALL]), "limit": 100}
                for each in self.api.client.v1.prices.list(params).auto_paging_iter():
                    yield str(each.lookup_key), each.id

        return await call("list prices", lambda: dict(listed()))


def _translate(plan: str, book: PriceBook, price: Price) -> Translated | str:
    try:
        return translated(plan, book.plan_terms(plan).period, price)
    except CannotTranslate as error:
        return str(error)


def _meter_step(definition: MetricDefinition, kept: Meter | None, there: Mapping[str, Any]) -> Step:
    metric = definition.name
    found = there.get(kept.event_name if kept else metric)
    if found is None:
        if len(metric) > LONGEST_NAME:
            return Step(metric, None, None, Action.REFUSE, note=f"a meter's name has {LONGEST_NAME} characters at most")
        return Step(metric, None, None, Action.CREATE)
    if trouble := _trouble(found):
        return Step(metric, None, None, Action.REFUSE, found.id, trouble)
    return Step(metric, None, None, Action.KEEP if kept else Action.ADOPT, found.id)


def _trouble(found: Any) -> str:
    """Why differences can't be told to a meter."""
    if found.status != "active":
        return "the meter of this name is not active; reactivate it"
    if found.default_aggregation.formula != "sum":
        return f"the meter of this name takes the {found.default_aggregation.formula}; it has to be the sum"
    if found.event_time_window is not None:
        return f"the meter of this name counts one event an {found.event_time_window}; it has to count all"
    return ""


def _price_step(each: _Priced, kept: Mapping[str, str], there: Mapping[str, str]) -> Step:
    metric, label = each.price.metric or "", each.price.label
    if isinstance(each.translated, str):
        return Step(metric, each.plan, label, Action.REFUSE, note=each.translated)
    key = each.translated.lookup_key
    if key in kept:
        return Step(metric, each.plan, label, Action.KEEP, kept[key], translated=each.translated)
    action = Action.ADOPT if key in there else Action.CREATE
    return Step(metric, each.plan, label, action, there.get(key), translated=each.translated)


def _kept(metric: str, found: Any) -> Meter:
    keys = found.customer_mapping.event_payload_key, found.value_settings.event_payload_key
    return Meter(metric, found.event_name, found.id, *keys)


def _key(*parts: str) -> dict[str, str]:
    """A key of its own for each deed, so that a repeat within a day is the same deed."""
    return {"idempotency_key": f"tallystick:{':'.join(parts)}"[:255]}
