"""How fast usage leaves for Stripe: single calls, and the stream, from the outbox to "accepted".

The other side is the fake Stripe, a process of its own on the same cores. The ceiling is the same fake, fed with bodies
that lie ready, or by Stripe's SDK alone: no outbox, no lanes, nothing that would survive a crash.

As the fake takes part of the machine, and real Stripe would not, what our own process manages in a second of its
processor's time is shown as well. PostgreSQL and the fake work beside it and are not in that.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import msgspec
import stripe

from benchmarks.installation import Broken, Installation, Sql, one
from benchmarks.janitor import note
from benchmarks.load import WrongAnswer
from benchmarks.results import Figure, Result, number
from tallystick.core.clock import SystemClock
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.meters import sending
from tallystick.integrations.stripe.meters.api import STREAM_BATCH, STREAM_PATH, THREADS, MeterApi
from tallystick.integrations.stripe.meters.pace import UNLIMITED, Pace
from tallystick.integrations.stripe.meters.sending import Sender
from tallystick.storage.database import Database

CUSTOMERS = 500
CALLS_SHARE = 40
"""One single call is measured for so many events of the stream."""

METER = "api_calls"
_READY = re.compile(r"http://127\.0\.0\.1:\d+")


def measure(events: int, folder: Path) -> Result:
    """Send so many events by the stream, and a part of that one by one."""
    calls = max(events // CALLS_SHARE, CUSTOMERS)
    with Installation.fresh(folder) as installation, _fake(folder) as url, installation.sql() as sql:
        client = _client(url)
        customers, account = _set_up(client)
        bare = [_bare_stream(client, url, customers, events), _bare_calls(client, customers, calls)]
        measured = []
        for number_of, streams in ((events, True), (calls, False)):
            _fill(sql, account, customers, number_of)
            measured.append(asyncio.run(_send(installation, url, sql, streams=streams)))
        told = httpx.get(f"{url}/_fake/totals").json()
    stream, call = zip(measured, bare, strict=True)
    figures = [
        Figure("by the stream", "events/s", [_rates(*stream)], "the fake, fed with ready bodies"),
        Figure("by the stream, our process alone", "events/s", [_own(*stream)], "ready bodies, their process alone"),
        Figure("by single calls", "calls/s", [_rates(*call)], "the fake, fed by the SDK alone"),
        Figure("by single calls, our process alone", "calls/s", [_own(*call)], "the SDK, its process alone"),
    ]
    setting = (
        f"{events:,} events by the stream in requests of {STREAM_BATCH}, {calls:,} by single calls, of {CUSTOMERS} "
        "customers and one meter, from rows of the outbox to rows that say accepted."
    )
    remarks = [
        f"The fake Stripe counted {number(len(told))} lanes.",
        "What a process does alone is what it gets done in a second of a processor; in the other lines the fake and "
        "PostgreSQL share the machine with it.",
    ]
    return Result("stripe", setting, figures, remarks)


class Speed(NamedTuple):
    """How much was done in a second, and in a second of our process's time on a processor."""

    rate: float
    own: float

    @classmethod
    def of(cls, number_of: int, work: Callable[[], Any]) -> Self:
        """The speed at which some work does so many things."""
        began, used = time.perf_counter(), time.process_time()
        work()
        return cls(number_of / (time.perf_counter() - began), number_of / (time.process_time() - used))


def _rates(measured: Speed, bare: Speed) -> tuple[float, float]:
    return measured.rate, bare.rate


def _own(measured: Speed, bare: Speed) -> tuple[float, float]:
    return measured.own, bare.own


@contextmanager
def _fake(folder: Path) -> Iterator[str]:
    """The fake Stripe as a process, whose clock runs."""
    now = datetime.now(UTC).isoformat()
    command = [sys.executable, "-m", "tallystick.integrations.stripe.fake", "--port", "0", "--at", now, "--runs"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        note(folder, process.pid)
        assert process.stdout is not None
        found = _READY.search(process.stdout.readline())
        if found is None:
            raise Broken("the fake Stripe did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def _client(url: str) -> stripe.StripeClient:
    stripe.enable_telemetry = False
    addresses: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), url)
    http = stripe.RequestsClient(timeout=(5, 60))
    return stripe.StripeClient("sk_test_fake", base_addresses=addresses, max_network_retries=0, http_client=http)


def _set_up(client: stripe.StripeClient) -> tuple[list[str], str]:
    client.v1.billing.meters.create(
        {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
    )
    customers = [client.v1.customers.create({"name": str(each)}).id for each in range(CUSTOMERS)]
    return customers, f"{client.v1.accounts.retrieve_current().id}/test"


def _fill(sql: Sql, account: str, customers: Sequence[str], events: int) -> None:
    """Put deltas into the outbox, as planning does: equally many in each lane."""
    known = one(sql, "SELECT count(*) FROM stripe_deltas")
    parameters = {"account": account, "customers": list(customers), "events": events, "known": known}
    with sql.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, parameters)


_FILL = (
    "INSERT INTO teams (id, name, time_zone, created_at) "
    "SELECT c, c, 'UTC', now() FROM unnest(%(customers)s::text[]) c ON CONFLICT DO NOTHING",
    "INSERT INTO stripe_lanes (account, customer_id, event_name, meter_id, team_id, metric) "
    "SELECT %(account)s, c, 'api_calls', 'mtr', c, 'api_calls' FROM unnest(%(customers)s::text[]) c "
    "ON CONFLICT DO NOTHING",
    """
    INSERT INTO stripe_deltas (lane_id, kind, window_start, window_end, seq, quantity, stamped_at, deadline, identifier,
                               request, cause, booked_at)
    SELECT l.id, 'usage', hour, hour + interval '1 hour', n, 1, hour, now() + interval '1 day', name,
           jsonb_build_object('event_name', 'api_calls', 'identifier', name,
                              'timestamp', extract(epoch FROM hour)::bigint,
                              'payload', jsonb_build_object('stripe_customer_id', l.customer_id, 'value', '1')),
           'usage', now()
    FROM generate_series(%(known)s::int + 1, %(known)s::int + %(events)s) AS n
    JOIN (SELECT row_number() OVER (ORDER BY id) - 1 AS place, * FROM stripe_lanes) l
      ON l.place = n %% cardinality(%(customers)s::text[])
    CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - interval '2 hours' AS hour, 'ts1_bench_' || n AS name) AS x
    ORDER BY n
    """,
    "UPDATE stripe_lanes SET next_at = now()",
    "ANALYZE stripe_deltas",
)


async def _send(installation: Installation, url: str, sql: Sql, *, streams: bool) -> Speed:
    """How fast deltas are accepted."""
    sending.STREAM_FROM = 1  # also for the last few, which single calls would send otherwise
    async with await Database.open(Settings(database_url=installation.database_url)) as database:
        api = await MeterApi.open(_client(url), streams=url if streams else None)
        sender = Sender(database, SystemClock(), api, Pace(UNLIMITED), Pace(UNLIMITED))
        began, used = time.perf_counter(), time.process_time()
        done = await sender.drain()
        seconds, busy = time.perf_counter() - began, time.process_time() - used
        api.close()
    if waiting := one(sql, "SELECT count(*) FROM stripe_deltas WHERE state <> 'accepted'"):
        raise WrongAnswer(f"{waiting} deltas are not accepted")
    return Speed(done.accepted / seconds, done.accepted / busy)


def _bare_stream(client: stripe.StripeClient, url: str, customers: Sequence[str], events: int) -> Speed:
    stamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    made = [_event(customers[n % len(customers)], f"bare_stream_{n}", stamp) for n in range(events)]
    batches = [made[start : start + STREAM_BATCH] for start in range(0, events, STREAM_BATCH)]
    bodies = [msgspec.json.encode({"events": batch}).decode() for batch in batches]
    http = stripe.RequestsClient(timeout=(5, 60))
    token = client.v2.billing.meter_event_session.create().authentication_token
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(body: str) -> None:
        _, status, _ = http.request("post", f"{url}{STREAM_PATH}", headers, body)
        if status != 200:
            raise WrongAnswer(f"the fake Stripe answered {status}")

    return Speed.of(events, lambda: _all(post, bodies))


def _bare_calls(client: stripe.StripeClient, customers: Sequence[str], calls: int) -> Speed:
    stamp = int(time.time())
    events = [_event(customers[n % len(customers)], f"bare_{n}", stamp) for n in range(calls)]

    def post(event: Any) -> None:
        client.v1.billing.meter_events.create(event)

    return Speed.of(calls, lambda: _all(post, events))


def _event(customer: str, identifier: str, stamp: object) -> dict[str, Any]:
    payload = {"stripe_customer_id": customer, "value": "1"}
    return {"event_name": METER, "identifier": identifier, "timestamp": stamp, "payload": payload}


def _all(post: Callable[[Any], None], requests: Sequence[Any]) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(post, requests))
