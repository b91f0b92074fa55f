"""Webhooks: signed as Standard Webhooks says, once, and unharmed by whoever receives them."""

import asyncio
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.core.networks import Networks
from tallystick.core.settings import Settings
from tallystick.notifications.guard import MOST_ANSWER_BYTES, Guard, UnusableUrl
from tallystick.notifications.models import ChannelChanges, ChannelKind, NewChannel, State
from tallystick.notifications.sending import NotSent
from tallystick.notifications.timing import LONGEST_CHANNEL_PAUSE, MOST_ATTEMPTS
from tests.integration.notifications.receivers import (
    answering,
    babbling,
    cutting,
    dripping,
    endless,
    hanging,
    receiver,
)
from tests.integration.notifications.setup import EXCEEDED, exceeded, opened_town

METADATA = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


@pytest.fixture
async def hasty(database, clock):
    """A town that waits for a receiver for half a second."""
    async with opened_town(database, clock, patience=0.5) as each:
        yield each


@pytest.fixture
async def hook():
    async with receiver() as each:
        yield each


def signed_with(request) -> set[str]:
    return set(request.headers["webhook-signature"].split())


def signature(secret, request) -> str:
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(request.headers["webhook-id"], at, request.body.decode())


# --- What is sent ---------------------------------------------------------------------------------


async def test_a_webhook_is_signed_so_that_the_receivers_library_accepts_it(town, hook):
    town.clock.set(datetime.now(UTC))
    secret = await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()

    (request,) = hook.requests
    assert Webhook(secret).verify(request.body, request.headers) == {
        "type": "alert.exceeded",
        "timestamp": "2026-03-15T11:59:58Z",
        "key": "alert:12:1:exceeded",
        "team_id": "acme",
        "data": EXCEEDED,
    }
    assert request.line == "POST /hooks/s3cr3t-path HTTP/1.1"
    assert request.headers["host"] == f"127.0.0.1:{hook.port}"
    delivery = await town.one()
    assert (delivery.state, delivery.message_id) == (State.SENT, request.headers["webhook-id"])


async def test_while_a_secret_is_rotated_both_the_old_and_the_new_one_sign(town, hook):
    old = await town.webhook(hook.url)
    new = await town.service.rotate_secret("hook", timedelta(hours=2))

    await town.tell(exceeded("first"))
    await town.send()
    town.clock.advance(timedelta(hours=2))
    await town.tell(exceeded("second"))
    await town.send()

    during, after = hook.requests
    assert signed_with(during) == {signature(old, during), signature(new, during)}
    assert signed_with(after) == {signature(new, after)}


async def test_a_secret_that_was_told_to_somebody_ends_at_once_when_there_is_no_overlap(town, hook):
    old = await town.webhook(hook.url)
    new = await town.service.rotate_secret("hook", timedelta(0))
    await town.tell(exceeded())
    await town.send()
    assert signature(old, hook.requests[0]) not in signed_with(hook.requests[0])
    assert signed_with(hook.requests[0]) == {signature(new, hook.requests[0])}


async def test_only_webhooks_have_a_secret_to_rotate(town):
    await town.service.add_channel(NewChannel("mail", ChannelKind.EMAIL, ("ops@example.com",)))
    with pytest.raises(Conflict, match="only webhooks are signed"):
        await town.service.rotate_secret("mail")
    with pytest.raises(NotFound, match="no channel 'nobody'"):
        await town.service.rotate_secret("nobody")
    with pytest.raises(InvalidInput, match="168 hours"):
        await town.service.rotate_secret("mail", timedelta(days=8))


async def test_a_replay_is_the_same_message_with_the_same_id_and_a_new_timestamp(town, hook):
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    town.clock.advance(timedelta(hours=1))
    await town.service.replay((await town.one()).id)
    await town.send()

    first, second = hook.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3600
    assert ((await town.one()).state, (await town.one()).replays) == (State.SENT, 1)


# --- Receivers that fail --------------------------------------------------------------------------


async def test_a_receiver_that_answers_500_for_an_hour_gets_the_message_once_when_it_is_well_again(town, hook):
    hook.behaviour = answering(500)
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(hours=1))
    assert 3 <= len(hook.requests) <= MOST_ATTEMPTS
    assert (await town.one()).last_error == f"http://127.0.0.1:{hook.port}/… answered 500"

    hook.behaviour = answering(204)
    hook.requests.clear()
    await town.pass_time(timedelta(hours=3))

    assert len(hook.requests) == 1
    assert (await town.one()).state is State.SENT
    assert (await town.service.channel("hook")).failures == 0


async def test_a_receiver_that_is_down_is_asked_seldom_however_much_waits_for_it(town, hook):
    hook.behaviour = answering(503)
    await town.webhook(hook.url)
    await town.tell(*(exceeded(f"key:{n}") for n in range(50)))
    await town.send()
    await town.pass_time(timedelta(hours=1))
    assert len(hook.requests) < 4 * timedelta(hours=1) / LONGEST_CHANNEL_PAUSE + 20

    hook.behaviour = answering(200)
    hook.requests.clear()
    await town.pass_time(timedelta(hours=8), step=timedelta(minutes=10))
    assert len({request.headers["webhook-id"] for request in hook.requests}) == len(hook.requests) == 50


async def test_what_is_never_taken_is_parked_and_can_be_replayed(town, hook):
    hook.behaviour = answering(500)
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(days=3), step=timedelta(hours=1))
    assert len(hook.requests) == MOST_ATTEMPTS
    assert (await town.one()).state is State.PARKED

    hook.behaviour = answering(200)
    await town.service.change_channel("hook", ChannelChanges(by_default=True))  # tried again at once
    await town.service.replay((await town.one()).id)
    await town.send()
    assert (await town.one()).state is State.SENT
    assert len({request.headers["webhook-id"] for request in hook.requests}) == 1


async def test_a_receiver_that_says_gone_is_not_asked_again(town, hook):
    hook.behaviour = answering(410)
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(days=1), step=timedelta(hours=1))
    assert len(hook.requests) == 1
    assert (await town.one()).state is State.PARKED


async def test_a_receiver_that_asks_for_time_gets_it(town, hook):
    hook.behaviour = answering(429, headers="Retry-After: 1800\r\n")
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(minutes=29))
    assert len(hook.requests) == 1
    await town.pass_time(timedelta(minutes=2))
    assert len(hook.requests) == 2


@pytest.mark.parametrize("nonsense", ["Retry-After: -5", "Retry-After: 1e99", "Retry-After: " + "9" * 500])
async def test_what_a_receiver_asks_for_can_not_put_a_message_off_for_ever(town, hook, nonsense):
    hook.behaviour = answering(503, headers=f"{nonsense}\r\n")
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    assert (await town.one()).due_at <= town.clock.now() + timedelta(hours=6)


# --- Receivers that are hostile -------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [hanging, cutting, babbling])
async def test_no_answer_is_no_success_and_is_remembered_as_uncertain(hasty, hook, behaviour):
    hook.behaviour = behaviour
    await hasty.webhook(hook.url)
    await hasty.tell(exceeded())
    await hasty.send()
    delivery = await hasty.one()
    assert (delivery.state, delivery.attempts, delivery.uncertain) == (State.PENDING, 1, True)


@pytest.mark.parametrize("behaviour", [endless, dripping, answering(200, body=b"x" * 10_485_760)])
async def test_of_an_answer_that_does_not_end_only_the_status_is_heard(town, hook, behaviour):
    hook.behaviour = behaviour
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    assert (await town.one()).state is State.SENT


async def test_of_a_long_answer_little_is_read(hook):
    taken = 0

    async def measured(writer):
        nonlocal taken
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            taken += 65536

    hook.behaviour = measured
    answer = await Guard(Networks.parse("127.0.0.1")).post(hook.url, {}, b"{}")
    assert answer.status == 200
    assert taken < MOST_ANSWER_BYTES + 16_777_216  # what the two ends' sockets hold beyond that


async def test_a_redirect_is_not_followed(town, hook):
    async with receiver() as elsewhere:
        hook.behaviour = answering(307, headers=f"Location: {elsewhere.url}\r\n")
        await town.webhook(hook.url)
        await town.tell(exceeded())
        await town.send()
        assert elsewhere.requests == []
        assert (await town.one()).last_error == f"http://127.0.0.1:{hook.port}/… answered 307"


async def test_a_receiver_that_hangs_holds_up_nobody_else(town, hook):
    hook.behaviour = hanging
    async with receiver() as healthy:
        await town.webhook(hook.url, "stuck")
        await town.webhook(healthy.url, "well")
        await town.tell(*(exceeded(f"key:{n}") for n in range(100)))

        async def rounds() -> None:
            while len(healthy.requests) < 100:
                await town.service.deliver_due(town.clock.now())

        await asyncio.wait_for(rounds(), timeout=120)
        assert len(hook.requests) <= 4
        await town.service.close()
        assert {each.state for each in await town.deliveries(channel="stuck")} == {State.PENDING}


# --- Where messages may not go --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        METADATA,
        "https://169.254.169.254/",
        "http://127.0.0.1:8080/api/keys",
        "http://localhost:8080/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://127.1/",
        "https://[fd00::1]/",
        "https://10.1.2.3/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0/",
    ],
)
async def test_an_address_that_is_not_public_is_refused(database, clock, url):
    async with opened_town(database, clock, Settings()) as town:
        for kind in (ChannelKind.WEBHOOK, ChannelKind.SLACK):
            with pytest.raises(InvalidInput, match="not public"):
                await town.service.add_channel(NewChannel("hook", kind, url=url))
        assert await town.service.channels(10) == []


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com", "https://", "nonsense",
     "https://user:pass@example.com/", "https://example.com/#part", "https://example.com/\0", "https://exa mple.com/",
     "https://example.com/" + "x" * 3000,
     "https://0177.0.0.1/"],
)  # fmt: skip
async def test_what_is_no_web_address_is_refused(town, url):
    with pytest.raises(InvalidInput, match="URL"):
        await town.service.add_channel(NewChannel("hook", ChannelKind.WEBHOOK, url=url))


async def test_public_addresses_have_to_be_asked_over_https():
    async def public(_host, _port):
        return ["93.184.215.14"]

    with pytest.raises(UnusableUrl, match="use https"):
        await Guard(Networks(), look_up=public).resolve("http://example.com/hook")
    assert (await Guard(Networks(), look_up=public).resolve("https://example.com/hook")).addresses == ["93.184.215.14"]


async def test_a_name_with_one_address_that_is_not_public_is_refused():
    async def mixed(_host, _port):
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(UnusableUrl, match=r"leads to 10\.0\.0\.1"):
        await Guard(Networks(), look_up=mixed).resolve("https://example.com/hook")


async def test_a_name_is_looked_up_once_and_that_address_is_connected_to(hook):
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def rebinding(_host, _port):
        return next(answers)

    guard = Guard(Networks.parse("127.0.0.1"), look_up=rebinding)
    url = f"http://innocent.test:{hook.port}/hook"
    assert (await guard.post(url, {}, b"{}")).status == 200
    assert hook.requests[0].headers["host"] == f"innocent.test:{hook.port}"
    with pytest.raises(NotSent, match=r"leads to 169\.254\.169\.254"):
        await guard.post(url, {}, b"{}")


async def test_a_name_that_has_become_private_since_it_was_configured_gets_nothing(town, hook):
    await town.webhook(hook.url)
    await town.tell(exceeded())
    async with opened_town(town.database, town.clock, Settings()) as stricter:
        await stricter.send()
        assert hook.requests == []
        assert "which is not public" in ((await stricter.one()).last_error or "")


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate with")
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=hooks.test", "-addext", "subjectAltName=DNS:hooks.test", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made, key)
    return server, ssl.create_default_context(cafile=made)


async def test_a_certificate_has_to_be_of_the_name_in_the_url_and_not_of_the_address(certificate):
    server, client = certificate

    async def here(_host, _port):
        return ["127.0.0.1"]

    async with receiver(tls=server) as hook:
        guard = Guard(Networks.parse("127.0.0.1"), look_up=here, tls=client)
        assert (await guard.post(f"https://hooks.test:{hook.port}/", {}, b"{}")).status == 200
        with pytest.raises(NotSent, match="can't be reached"):
            await guard.post(f"https://other.test:{hook.port}/", {}, b"{}")
