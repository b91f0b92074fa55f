"""What is asked of Stripe about meters, each call with its outcome. Threads of its own make the calls."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Self

import msgspec
import stripe

from tallystick import __version__
from tallystick.core.clock import Interval
from tallystick.integrations.stripe.client import ANSWER_SECONDS, CONNECT_SECONDS, call
from tallystick.integrations.stripe.outcomes import ACCEPTED, Outcome, StripeRefused, outcome_of

THREADS = 16
STREAM_BATCH = 100
"""Events of one request to the stream."""

SESSION_KEPT = timedelta(minutes=10)
"""How long a session of the stream is used; it is good for 15 minutes."""

STREAM_BASE = "https://meter-events.stripe.com"
STREAM_PATH = "/v2/billing/meter_event_stream"
SESSION_EXPIRED = 401

Request = Mapping[str, Any]


class MeterApi:
    """Stripe's meters, for one account.

    Args:
        client: with the account's key.
        account: its id and mode, such as `acct_1/test`.
        streams: where the stream is; None: it may not be used, for it takes live keys alone.
    """

    def __init__(self, client: stripe.StripeClient, account: str, *, streams: str | None = None) -> None:
        self.client = client
        self.account = account
        self.streams = streams is not None
        self._stream_base = (streams or "").rstrip("/")
        self._http = stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
        self._threads = ThreadPoolExecutor(THREADS, "stripe-meters")
        self._session: tuple[str, datetime] | None = None

    @classmethod
    async def open(cls, client: stripe.StripeClient, *, streams: str | None = None, live: bool = False) -> Self:
        """The meters of the account that the client's key opens.

        Raises:
            StripeRefused: the key is not good, or Stripe can't be reached.
        """
        found = await call("look at the account", client.v1.accounts.retrieve_current)
        return cls(client, f"{found.id}/{'live' if live else 'test'}", streams=streams)

    def close(self) -> None:
        """Let the threads go, once their calls have ended."""
        self._threads.shutdown(wait=False)

    async def send(self, request: Request, idempotency_key: str) -> Outcome:
        """Send one event by v1."""
        return await self._in_thread(self._send, request, idempotency_key, about=request["identifier"])

    async def stream(self, requests: Sequence[Request], idempotency_key: str, now: datetime) -> Outcome:
        """Send up to 100 events by the stream, which looks at them later."""
        return await self._in_thread(self._stream, requests, idempotency_key, now)

    async def counted(self, meter_id: str, customer_id: str, interval: Interval) -> tuple[Decimal, datetime | None]:
        """What the summaries show for an interval of whole minutes, and when, by Stripe's clock, if it says so.

        A sum is a double there, so it has 15 digits or so.

        Raises:
            StripeRefused: no answer.
        """
        rows, at = await self._summaries(meter_id, customer_id, interval)
        return sum((Decimal(repr(row.aggregated_value)) for row in rows), Decimal(0)), at

    async def counted_hourly(self, meter_id: str, customer_id: str, interval: Interval) -> dict[datetime, Decimal]:
        """What the summaries show for each hour that has something, by its beginning. Whole hours of UTC.

        Raises:
            StripeRefused: no answer.
        """
        rows, _ = await self._summaries(meter_id, customer_id, interval, "hour")
        return {datetime.fromtimestamp(row.start_time, UTC): Decimal(repr(row.aggregated_value)) for row in rows}

    async def cancel(self, event_name: str, identifier: str) -> Outcome:
        """Take an event back, which is possible for 24 hours."""
        return await self._in_thread(self._cancel, event_name, identifier)

    async def _summaries(
        self, meter_id: str, customer_id: str, interval: Interval, window: str = ""
    ) -> tuple[list[Any], datetime | None]:
        params: Any = {
            "customer": customer_id,
            "start_time": int(interval.start.timestamp()),
            "end_time": int(interval.end.timestamp()),
            "limit": 100,
        }
        if window:
            params["value_grouping_window"] = window

        def listed() -> tuple[list[Any], datetime | None]:
            page = self.client.v1.billing.meters.event_summaries.list(meter_id, params)
            return list(page.auto_paging_iter()), _date(page.last_response)

        return await call("read summaries", listed)

    async def _in_thread(self, work: Callable[..., None], *arguments: Any, about: str | None = None) -> Outcome:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        except stripe.StripeError as error:
            return outcome_of(error, about)
        except StripeRefused as error:
            return error.outcome
        return ACCEPTED

    def _send(self, request: Request, idempotency_key: str) -> None:
        params: Any = dict(request)
        self.client.v1.billing.meter_events.create(params, {"idempotency_key": idempotency_key})

    def _cancel(self, event_name: str, identifier: str) -> None:
        self.client.v1.billing.meter_event_adjustments.create(
            {"event_name": event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        )

    def _stream(self, requests: Sequence[Request], idempotency_key: str, now: datetime) -> None:
        events = [{**each, "timestamp": _text(each["timestamp"])} for each in requests]
        body = msgspec.json.encode({"events": events}).decode()
        if not self._post(body, idempotency_key, self._token(now)):
            self._session = None
            if not self._post(body, idempotency_key, self._token(now)):
                raise stripe.AuthenticationError(
                    "the stream does not take its own session", http_status=SESSION_EXPIRED
                )

    def _post(self, body: str, idempotency_key: str, token: str) -> bool:
        """Post to the stream; whether the session was good.

        By the SDK's HTTP client alone: the SDK as a whole takes four times as long to write a body.
        """
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
            "Stripe-Version": str(stripe.api_version),
            "User-Agent": f"Tallystick/{__version__}",
        }
        text, status, answered = self._http.request("post", f"{self._stream_base}{STREAM_PATH}", headers, body)
        if status not in (200, SESSION_EXPIRED):
            raise stripe.APIError("the stream refused a batch", text, status, _json(text), dict(answered))
        return bool(status == 200)

    def _token(self, now: datetime) -> str:
        if self._session is None or not self._session[1] <= now < self._session[1] + SESSION_KEPT:
            session = self.client.v2.billing.meter_event_session.create()
            self._session = (session.authentication_token, now)
        return self._session[0]


def _date(response: Any) -> datetime | None:
    """When an answer was given, by the clock of who gave it."""
    text = response.headers.get("date") if response is not None else None
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _json(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


@lru_cache(maxsize=4096)
def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
