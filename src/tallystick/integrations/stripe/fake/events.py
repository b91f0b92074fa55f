"""Events: what happened in the account, for who fetches it and for who is told."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.meters import rfc3339
from tallystick.integrations.stripe.fake.refusals import Refused, wrong
from tallystick.integrations.stripe.fake.world import (
    API_VERSION,
    PAGING,
    Call,
    Served,
    Table,
    World,
    created_in,
    merged,
    newest_first,
    page,
    serves,
)


class Notice(NamedTuple):
    """Something to be delivered.

    Attributes:
        event: its identity.
        kind: its type.
        about: the object that it is about.
        url: to whom.
        secret: what it is signed with.
        body: what is sent.
    """

    event: str
    kind: str
    about: str | None
    url: str
    secret: str
    body: bytes


class Events:
    """What happened, and who wants to know."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Table("event")
        self._thin = Table("event")
        self._endpoints = Table("webhook endpoint")
        self._destinations = Table("event destination")
        self._secrets: dict[str, str] = {}
        self.outgoing: list[Notice] = []
        """What is to be delivered and was not taken yet."""
        self.request: tuple[str, str | None] = ("", None)
        """The identity and the idempotency key of the request under way."""
        world.listeners.append(self._happened)

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        one, destination = "/v1/webhook_endpoints/{webhook_endpoint}", "/v2/core/event_destinations/{id}"
        return {
            "GET /v1/events": serves(self._list, f"type types created {PAGING}"),
            "GET /v1/events/{id}": serves(lambda call: self._events.need(call.ids["id"])),
            "GET /v2/core/events": serves(self._list_thin, "limit page object_id types created"),
            "GET /v2/core/events/{id}": serves(lambda call: self._thin.need(call.ids["id"])),
            "POST /v1/webhook_endpoints": serves(self._create, "url enabled_events description metadata api_version"),
            "GET /v1/webhook_endpoints": serves(
                lambda call: page(call, newest_first(self._endpoints), "/v1/webhook_endpoints"), PAGING
            ),
            f"GET {one}": serves(lambda call: self._endpoints.need(call.ids["webhook_endpoint"])),
            f"POST {one}": serves(self._update, "url enabled_events description metadata disabled"),
            f"DELETE {one}": serves(self._delete),
            "POST /v2/core/event_destinations": serves(
                self._create_destination,
                "name type event_payload enabled_events description webhook_endpoint include metadata",
            ),
            "GET /v2/core/event_destinations": serves(self._list_destinations, "limit page include"),
            f"GET {destination}": serves(lambda call: self._destinations.need(call.ids["id"])),
            f"DELETE {destination}": serves(self._delete_destination),
        }

    def publish_thin(self, kind: str, meter: Object | None, data: Object) -> None:
        """Make a thin event: its data is fetched, not delivered."""
        event: Object = {
            "id": self._world.new_id("evt_thin"),
            "object": "v2.core.event",
            "created": rfc3339(self._world.clock.seconds),
            "livemode": False,
            "type": kind,
        }
        if meter is not None:
            identity = meter["id"]
            url = f"/v1/billing/meters/{identity}"
            event["related_object"] = {"id": identity, "type": "billing.meter", "url": url}
        self._thin[event["id"]] = {**event, "data": data}
        for destination in _enabled(self._destinations, kind):
            url, secret = destination["webhook_endpoint"]["url"], self._secrets[destination["id"]]
            self._tell(event, (event.get("related_object") or {}).get("id"), url, secret)

    def told_of(self, kind: str) -> bool:
        """Whether anybody wants to know of events of a type."""
        return any(_enabled(self._endpoints, kind))

    def all(self) -> list[Object]:
        """Every event, oldest first."""
        return list(self._events.values())

    def _happened(self, kind: str, about: Object) -> None:
        identity, key = self.request
        event: Object = {
            "id": self._world.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._world.now,
            "data": {"object": deepcopy(about)},
            "livemode": False,
            "pending_webhooks": sum(1 for _ in _enabled(self._endpoints, kind)),
            "request": {"id": identity or None, "idempotency_key": key},
            "type": kind,
        }
        self._events[event["id"]] = event
        for endpoint in _enabled(self._endpoints, kind):
            self._tell(event, about.get("id"), endpoint["url"], self._secrets[endpoint["id"]])

    def _tell(self, event: Object, about: str | None, url: str, secret: str) -> None:
        body = msgspec.json.encode(event)
        self.outgoing.append(Notice(event["id"], event["type"], about, url, secret, body))

    def _list(self, call: Call) -> Object:
        found = created_in(newest_first(self._events), call.params.get("created"))
        kinds = call.params.get("types") or ([call.params["type"]] if "type" in call.params else None)
        return page(call, (each for each in found if kinds is None or each["type"] in kinds), "/v1/events")

    def _list_thin(self, call: Call) -> Object:
        params = call.params
        found = [each for each in newest_first(self._thin) if _wanted(each, params)]
        return _page_v2(found, params, "/v2/core/events")

    def _create(self, call: Call) -> Object:
        params = call.params
        endpoint: Object = {
            "id": self._world.new_id("we"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version"),
            "application": None,
            "created": self._world.now,
            "description": params.get("description") or None,
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "status": "enabled",
            "url": params["url"],
        }
        self._endpoints[endpoint["id"]] = endpoint
        return {**endpoint, "secret": self._new_secret(endpoint["id"])}  # shown this once

    def _new_secret(self, identity: str) -> str:
        secret = self._secrets[identity] = f"whsec_{identity}_{self._world.random.getrandbits(64):016x}"
        return secret

    def _update(self, call: Call) -> Object:
        endpoint = self._endpoints.need(call.ids["webhook_endpoint"])
        params = dict(call.params)
        if "disabled" in params:
            endpoint["status"] = "disabled" if params.pop("disabled") else "enabled"
        endpoint["metadata"] = merged(endpoint["metadata"], params.pop("metadata", None))
        endpoint.update(params)
        return endpoint

    def _delete(self, call: Call) -> Object:
        endpoint = self._endpoints.need(call.ids["webhook_endpoint"])
        endpoint["deleted"] = True
        return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}

    def _create_destination(self, call: Call) -> Object:
        params = call.params
        if params["type"] != "webhook_endpoint" or "webhook_endpoint" not in params:
            raise wrong("The fake Stripe delivers to webhook endpoints alone.", code="invalid_request")
        if params["event_payload"] != "thin":
            raise wrong("Snapshots go to /v1/webhook_endpoints.", code="invalid_request")
        now = rfc3339(self._world.clock.seconds)
        destination: Object = {
            "id": self._world.new_id("ed"),
            "object": "v2.core.event_destination",
            "created": now,
            "description": params.get("description", ""),
            "enabled_events": params["enabled_events"],
            "event_payload": "thin",
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "name": params["name"],
            "status": "enabled",
            "type": "webhook_endpoint",
            "updated": now,
            "webhook_endpoint": {"url": params["webhook_endpoint"]["url"]},
        }
        self._destinations[destination["id"]] = destination
        secret = self._new_secret(destination["id"])
        if "webhook_endpoint.signing_secret" not in params.get("include", ()):
            return destination
        return {**destination, "webhook_endpoint": {**destination["webhook_endpoint"], "signing_secret": secret}}

    def _list_destinations(self, call: Call) -> Object:
        return _page_v2(list(newest_first(self._destinations)), call.params, "/v2/core/event_destinations")

    def _delete_destination(self, call: Call) -> Object:
        destination = self._destinations.need(call.ids["id"])
        destination["deleted"] = True
        return {"id": destination["id"], "object": "v2.core.event_destination"}


def _enabled(table: Table, kind: str) -> Iterator[Object]:
    for each in table.values():
        if each["status"] == "enabled" and not each.get("deleted") and {kind, "*"} & set(each["enabled_events"]):
            yield each


def _wanted(event: Object, params: Mapping[str, Any]) -> bool:
    about = event.get("related_object", {}).get("id")
    bounds = params.get("created", {})
    created = event["created"]
    return (
        params.get("object_id") in {None, about}
        and ("types" not in params or event["type"] in params["types"])
        and bounds.get("gte", created) <= created <= bounds.get("lte", created)
        and ("gt" not in bounds or created > bounds["gt"])
        and ("lt" not in bounds or created < bounds["lt"])
    )


def _page_v2(found: list[Object], params: Mapping[str, Any], url: str) -> Object:
    limit, page_text = params.get("limit", 20), params.get("page", "0")
    if not page_text.isdecimal() or not 1 <= limit <= 100:
        raise Refused(400, "Invalid limit or page.", code="invalid_request")
    start = int(page_text)

    def at(place: int) -> str:
        return f"{url}?{urlencode(list(_flat({**params, 'limit': limit, 'page': place})))}"

    return {
        "data": found[start : start + limit],
        "next_page_url": at(start + limit) if start + limit < len(found) else None,
        "previous_page_url": at(max(0, start - limit)) if start else None,
    }


def _flat(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
        yield from ((f"{name}[{key}]", each) for key, each in inner) if inner else [(name, value)]
