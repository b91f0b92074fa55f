"""`tallystick notifications` as it is typed; secrets come in by standard input and go out once."""

import os
import subprocess
import sys
from typing import get_args

import pytest

from tallystick.cli import notifications as command
from tallystick.notifications.models import ChannelKind, Digest, State
from tests.integration.notifications.receivers import answering, receiver
from tests.integration.notifications.setup import exceeded, opened_town

SECRET_URL = "http://127.0.0.1:9/hooks/s3cr3t"


@pytest.fixture
def typed(database_url):
    """Runs a command; what is typed at its prompt is the input."""

    def run(*arguments: str, entered: str = "") -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "DATABASE_URL": database_url, "TALLYSTICK_PRIVATE_NETWORKS": "127.0.0.1"}
        program = [sys.executable, "-m", "tallystick", "notifications", *arguments]
        return subprocess.run(program, env=variables, input=entered, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


def test_a_webhook_is_made_with_a_url_from_standard_input_and_its_secret_alone_on_standard_output(typed):
    made = typed("add", "erp", "--kind", "webhook", "--default", entered=f"{SECRET_URL}\n")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("whsec_")
    assert len(made.stdout.split()) == 1

    listed = typed("channels")
    assert listed.stdout.splitlines()[1].split("\t")[:4] == ["erp", "webhook", "http://127.0.0.1:9/…", "True"]
    rotated = typed("rotate", "erp", "--overlap-hours", "0")
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout != made.stdout
    said = "".join(each.stdout + each.stderr for each in (made, listed, rotated, typed("channels", "--json")))
    assert "s3cr3t" not in said


def test_a_url_that_is_refused_is_an_error_of_one_line_without_the_url(typed):
    refused = typed("add", "erp", "--kind", "slack", entered="https://169.254.169.254/s3cr3t\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: https://169.254.169.254/… leads to 169.254.169.254, which is not public")
    assert "s3cr3t" not in refused.stderr


def test_a_channel_is_changed_and_removed(typed):
    assert typed("add", "ops", "--kind", "email", "--to", "ops@example.com").returncode == 0
    assert typed("change", "ops", "--to", "a@example.com", "--to", "b@example.com", "--default").returncode == 0
    assert "ops\temail\ta@example.com, b@example.com\tTrue" in typed("channels").stdout
    assert typed("remove", "ops").returncode == 0
    assert typed("remove", "ops").stderr == "error: there is no channel 'ops'\n"


async def test_preferences_change_what_is_given_and_nothing_else(typed, town):
    assert typed("preferences", "acme", "--email", "a@acme.example", "--digest", "daily").returncode == 0
    shown = typed("preferences", "acme", "--quiet", "22:00-07:00").stdout
    assert shown == (
        "preference\tvalue\nchannels\tthe default ones\nemails\ta@acme.example\ndigest\tdaily, at 09:00\n"
        "quiet hours\t22:00 to 07:00\n"
    )
    assert "quiet hours\tnone" in typed("preferences", "acme", "--quiet", "none").stdout
    wrong = typed("preferences", "acme", "--quiet", "late")
    assert (wrong.returncode, wrong.stderr) == (2, "error: 'late' is not a time of day such as 09:00\n")


async def test_what_was_given_up_is_listed_and_replayed(typed, town):
    async with receiver() as hook:
        hook.behaviour = answering(410)
        await town.webhook(hook.url)
        await town.tell(exceeded("1"), exceeded("2"))
        await town.send()
        listed = typed("deliveries", "--state", "parked", "--team", "acme")
        assert [line.split("\t")[:3] for line in listed.stdout.splitlines()[1:]] == [
            ["2", "parked", "hook"],
            ["1", "parked", "hook"],
        ]
        assert typed("replay").returncode == 2
        assert typed("replay", "1").stdout == "1 to be sent again\n"
        assert typed("replay", "--parked").stdout == "1 to be sent again\n"
        assert typed("replay", "1").returncode == 1


def test_a_channel_that_does_not_exist_can_not_be_tested(typed):
    assert typed("test", "nobody").stderr == "error: there is no channel 'nobody'\n"


def test_the_words_of_the_options_are_those_of_the_models():
    assert get_args(command.Kind) == tuple(ChannelKind)
    assert get_args(command.Stand) == tuple(State)
    assert get_args(command.Often) == tuple(Digest)
