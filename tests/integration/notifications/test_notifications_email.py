"""Email and Slack as people get them, and Apprise for everything else."""

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.core.settings import Settings
from tallystick.notifications.models import ChannelKind, NewChannel, Preferences, State
from tests.integration.notifications.receivers import answering, hanging, mailbox, receiver
from tests.integration.notifications.setup import LOOPBACK, exceeded, opened_town


@pytest.fixture
async def post():
    async with mailbox() as each:
        yield each


@pytest.fixture
async def town(database, clock, post):
    async with opened_town(database, clock, by_mail(post)) as each:
        yield each


def by_mail(post, **changes) -> Settings:
    sender = "Billing <billing@tally.example>"
    return LOOPBACK.model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": post.port, "smtp_sender": sender, **changes}
    )


def text_of(letter):
    return letter.get_body(("plain",)).get_content().replace("\r\n", "\n")


async def email(town, *to: str, name: str = "mail") -> None:
    await town.service.add_channel(NewChannel(name, ChannelKind.EMAIL, to, by_default=True))


# --- Email ----------------------------------------------------------------------------------------


async def test_an_email_has_text_and_html_and_says_whom_it_is_from(town, post):
    await email(town, "ops@example.com")
    await town.tell(exceeded())
    await town.send()

    (letter,) = post.letters
    assert (letter["From"], letter["To"]) == ("Billing <billing@tally.example>", "ops@example.com")
    assert letter["Subject"] == "Acme: API calls passed 80 % of 1,000,000"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"] == f"<{(await town.one()).message_id}@tally.example>"
    assert parsedate_to_datetime(letter["Date"]) == town.clock.now()
    text = text_of(letter)
    assert "Usage: 800000.5\nCost <so far>: $1,234.50 & more\n" in text
    assert "About team Acme Inc., 2026-03-15T11:59:58Z." in text
    html = letter.get_body(("html",)).get_content()
    assert "Cost &lt;so far&gt;" in html
    assert '<a href="https://billing.example.com/alerts/12">' in html


async def test_each_recipient_gets_a_letter_of_their_own(town, post):
    await email(town, "a@example.com", "b@example.com")
    await town.tell(exceeded())
    await town.send()
    assert sorted(letter["To"] for letter in post.letters) == sorted(post.recipients)
    assert sorted(post.recipients) == ["a@example.com", "b@example.com"]
    assert len({letter["Message-ID"] for letter in post.letters}) == 2


async def test_a_recipient_that_does_not_exist_is_parked_and_the_others_get_it_once(town, post):
    post.refused["gone@example.com"] = "550 5.1.1 no such user"
    await email(town, "gone@example.com", "here@example.com")
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(hours=6), step=timedelta(hours=1))

    assert post.recipients == ["here@example.com"]
    stand = {each.target: (each.state, each.last_error) for each in await town.deliveries()}
    assert stand == {
        "gone@example.com": (State.PARKED, "the mail server answered 550 5.1.1 no such user"),
        "here@example.com": (State.SENT, None),
    }


async def test_mail_that_is_put_off_is_tried_again_as_the_same_letter(town, post):
    post.answers = ["451 4.3.0 try later", "452 4.2.2 mailbox full"]
    await email(town, "ops@example.com")
    await town.tell(exceeded())
    await town.send()
    assert await town.states() == [State.PENDING]
    await town.pass_time(timedelta(minutes=5))
    assert len(post.letters) == 1
    assert (await town.one()).attempts == 3


async def test_mail_that_is_refused_for_good_is_parked(town, post):
    post.answers = ["554 5.7.1 looks like spam"]
    await email(town, "ops@example.com")
    await town.tell(exceeded())
    await town.send()
    await town.pass_time(timedelta(hours=1))
    assert await town.states() == [State.PARKED]
    assert post.letters == []


async def test_a_mail_server_that_hangs_leaves_the_letter_to_be_sent_again(database, clock, post):
    post.hang = True
    async with opened_town(database, clock, by_mail(post), patience=1) as town:
        await email(town, "ops@example.com")
        await town.tell(exceeded())
        await town.send()
        delivery = await town.one()
        assert (delivery.state, delivery.uncertain) == (State.PENDING, True)
        post.hang = False
        await town.pass_time(timedelta(minutes=2))
        assert (await town.one()).state is State.SENT
        assert "may have reached you before" in text_of(post.letters[0])


async def test_without_a_mail_server_the_letter_waits_and_says_what_is_missing(database, clock):
    async with opened_town(database, clock) as town:
        await email(town, "ops@example.com")
        await town.tell(exceeded())
        await town.send()
        assert (await town.one()).last_error == "no mail server is set: TALLYSTICK_SMTP_HOST"
        assert await town.states() == [State.PENDING]


async def test_a_password_is_used_and_never_told(database, clock, caplog):
    caplog.set_level("DEBUG")

    async def send(post, key: str, password: str) -> list[State]:
        secret = Settings(smtp_password=password).smtp_password
        settings = by_mail(post, smtp_username="tally", smtp_password=secret)
        async with opened_town(database, clock, settings) as town:
            await town.tell(exceeded(key))
            await town.pass_time(timedelta(minutes=1))
            assert "wr0ng" not in repr(settings) + str(await town.deliveries())
            return await town.states()

    async with mailbox(login=True) as post:
        async with opened_town(database, clock) as town:
            await email(town, "ops@example.com")
        assert await send(post, "1", "wr0ng") == [State.PENDING]
        assert await send(post, "2", "right") == [State.SENT, State.SENT]
    assert post.logins[0] == ("tally", "wr0ng")
    assert "wr0ng" not in caplog.text


async def test_one_email_channel_serves_every_team_by_the_teams_addresses(town, post):
    await email(town)
    await town.service.put_preferences("acme", Preferences(emails=("billing@acme.example", "cfo@acme.example")))
    await town.tell(exceeded("1"), exceeded("2", team_id="globex"))
    await town.send()
    assert sorted(post.recipients) == ["billing@acme.example", "cfo@acme.example"]
    parked = await town.deliveries(state=State.PARKED)
    assert [(each.notification.team_id, each.last_error) for each in parked] == [
        ("globex", "neither the channel nor the team's preferences name an address")
    ]


async def test_no_text_can_add_a_header_or_a_recipient(town, post):
    await email(town, "ops@example.com")
    title = "Usage\r\nBcc: everyone@example.com\r\n\r\nbody"
    await town.tell(exceeded(content={"title": title, "text": "<script>alert(1)</script>", "link": "javascript:x"}))
    await town.send()
    (letter,) = post.letters
    assert letter["Subject"] == "Usage Bcc: everyone@example.com body"
    assert letter["Bcc"] is None
    assert post.recipients == ["ops@example.com"]
    html = letter.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize(
    "address", ["", "ops", "ops@", "@example.com", "a b@example.com", "a@b.c,d@e.f", "ö@example.com"]
)
async def test_what_is_no_address_is_refused(town, address):
    with pytest.raises(InvalidInput, match="not an email address"):
        await email(town, address)


# --- Templates ------------------------------------------------------------------------------------


async def test_templates_of_a_folder_take_the_place_of_built_in_ones(database, clock, post, tmp_path):
    (tmp_path / "alert.subject.txt").write_text("[{{ team }}] {{ title }}")
    (tmp_path / "alert.exceeded.email.txt").write_text("{{ facts[0].value }} of {{ content.limit }}")
    async with opened_town(database, clock, by_mail(post, notification_templates=tmp_path)) as town:
        await email(town, "ops@example.com")
        await town.tell(exceeded(content={**exceeded().content, "limit": "1000000"}))
        await town.send()
    (letter,) = post.letters
    assert letter["Subject"] == "[Acme Inc.] Acme: API calls passed 80 % of 1,000,000"
    assert text_of(letter) == "800000.5 of 1000000\n"
    assert "<h1" in letter.get_body(("html",)).get_content()


@pytest.mark.parametrize("wrong", ["{{ nothing.of.that }}", "{% if %}", "{{ 1 / 0 }}", "{{ ''.__class__.__mro__ }}"])
async def test_a_template_that_fails_keeps_no_message_back(database, clock, post, tmp_path, caplog, wrong):
    (tmp_path / "default.subject.txt").write_text(wrong)
    async with opened_town(database, clock, by_mail(post, notification_templates=tmp_path)) as town:
        await email(town, "ops@example.com")
        await town.tell(exceeded())
        await town.send()
    assert post.letters[0]["Subject"] == "Acme: API calls passed 80 % of 1,000,000"
    assert "template for alert.exceeded subject.txt failed" in caplog.text


# --- Slack ----------------------------------------------------------------------------------------


async def test_slack_gets_blocks_and_nothing_in_them_is_obeyed(town):
    async with receiver() as hook:
        await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url, by_default=True))
        await town.tell(exceeded(content={**exceeded().content, "text": 'Hello <!channel> & "you"'}))
        await town.send()
    (request,) = hook.requests
    message = request.json()
    assert message["text"] == "Acme: API calls passed 80 % of 1,000,000"
    header, section, context = message["blocks"]
    assert header["text"]["text"] == message["text"]
    assert 'Hello &lt;!channel&gt; &amp; "you"' in section["text"]["text"]
    assert "*Cost &lt;so far&gt;:* $1,234.50 &amp; more" in section["text"]["text"]
    assert context["elements"][0]["text"] == "Acme Inc. · 2026-03-15T11:59:58Z"


async def test_slack_takes_messages_of_any_length(town):
    async with receiver() as hook:
        await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url, by_default=True))
        facts = [{"label": "x" * 300, "value": "y" * 3000}] * 100
        await town.tell(exceeded(content={"title": "t" * 5000, "text": "z" * 100_000, "facts": facts}))
        await town.send()
    header, section, _ = hook.requests[0].json()["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert len(section["text"]["text"]) <= 3000


# --- Apprise --------------------------------------------------------------------------------------


async def test_apprise_carries_messages_to_whatever_it_knows(town):
    async with receiver() as hook:
        url = f"json://127.0.0.1:{hook.port}/s3cr3t"
        await town.service.add_channel(NewChannel("other", ChannelKind.APPRISE, url=url, by_default=True))
        await town.tell(exceeded())
        await town.send()
    (request,) = hook.requests
    assert json.loads(request.body)["title"] == "Acme: API calls passed 80 % of 1,000,000"
    assert await town.states() == [State.SENT]


async def test_apprise_is_refused_what_is_not_public(town):
    async with receiver() as hook:
        for url in (
            f"json://127.0.0.2:{hook.port}/",
            "json://169.254.169.254/latest",
            f"json://127.0.0.1:{hook.port}/",
        ):
            hook.behaviour = answering(307, headers=f"Location: http://127.0.0.2:{hook.port}/\r\n")
            name = f"other-{len(await town.service.channels(10))}"
            await town.service.add_channel(NewChannel(name, ChannelKind.APPRISE, url=f"{url}?redirect=yes"))
            await town.tell(exceeded(name, channels=(name,)))
        await town.send()
        errors = [each.last_error or "" for each in await town.deliveries()]
        assert ["is not public" in each for each in errors] == [True, True, True]
        assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("syslog://", r"syslog\.openlog is refused"),
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#all?template=/etc/passwd",
            "reading .* files is refused",
        ),
    ],
)
async def test_apprise_touches_nothing_of_this_machine(town, url, refused):
    with pytest.raises(InvalidInput, match=refused):
        await town.service.add_channel(NewChannel("local", ChannelKind.APPRISE, url=url))


async def test_apprise_that_hangs_is_ended(database, clock, post):
    async with receiver() as hook, opened_town(database, clock, by_mail(post), patience=5) as town:
        hook.behaviour = hanging
        url = f"json://127.0.0.1:{hook.port}/?rto=600&cto=600"
        await town.service.add_channel(NewChannel("other", ChannelKind.APPRISE, url=url, by_default=True))
        await town.tell(exceeded())
        await town.send()
        assert (await town.one()).state is State.PENDING


@pytest.mark.parametrize("url", ["nonsense://x", "", "tgram://", "syslog-of-nothing"])
async def test_a_url_that_apprise_does_not_know_is_refused(town, url):
    with pytest.raises(InvalidInput, match="Apprise does not know"):
        await town.service.add_channel(NewChannel("other", ChannelKind.APPRISE, url=url))
