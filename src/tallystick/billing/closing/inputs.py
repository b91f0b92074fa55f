"""What the lines of a statement are made of, as the JSON that is kept with it and that its digest is over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from tallystick.billing.models import Account
from tallystick.catalog.documents import team_terms_to_json, terms_to_json
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.terms import PlanTerms, Terms
from tallystick.core.clock import Interval
from tallystick.http.answers import rfc3339
from tallystick.pricing import Price

FORMAT = 1
"""Of the document; raised when its meaning changes, so that an old digest can still be computed."""


def inputs_of(account: Account, known_at: datetime) -> dict[str, Any]:
    """The account as it went into a statement; usage is in the lines.

    Of a price only what is inside the period counts, so that an end that is moved later changes nothing.
    """
    subscription, full = account.subscription, account.full or account.period
    assert subscription is not None
    return {
        "format": FORMAT,
        "team_id": account.team.id,
        "time_zone": account.team.time_zone,
        "currency": account.currency,
        "billing_currency": account.billing_currency,
        "period": _interval(account.period),
        "full": _interval(full),
        "known_at": rfc3339(known_at),
        "subscription": {
            "id": subscription.id,
            "plan": subscription.plan,
            "anchor": str(subscription.anchor),
            "starts_at": rfc3339(subscription.starts_at),
        },
        "uncharged": [{**_interval(interval), "reason": reason} for interval, reason in account.uncharged()],
        "terms": _terms(account.terms),
        "agreed": dict(team_terms_to_json(account.agreed)),
        "prices": _prices(account.prices, account.period),
    }


def _interval(interval: Interval) -> dict[str, str]:
    return {"start": rfc3339(interval.start), "end": rfc3339(interval.end)}


def _terms(terms: PlanTerms | None) -> dict[str, Any]:
    if terms is None:
        return {}
    return dict(terms_to_json(Terms(terms.trial_days, terms.minimum, terms.commitment, terms.discounts)))


def _prices(prices: Mapping[str, Sequence[PriceVersion]], period: Interval) -> list[dict[str, Any]]:
    return [
        {
            **_price(version.price, version.id, version.team_id),
            "start": rfc3339(max(period.start, version.effective_from or period.start)),
            "end": rfc3339(min(period.end, version.effective_to or period.end)),
        }
        for name in sorted(prices)
        for version in prices[name]
    ]


@lru_cache(maxsize=4096)
def _price(price: Price, id: int, team_id: str | None) -> dict[str, Any]:
    return {
        "id": id,
        "name": price.label,
        "metric": price.metric,
        "model": price.model,
        "currency": price.currency,
        "parameters": price.to_parameters(),
        "team_id": team_id,
    }
