"""What a channel and preferences must look like. Pure."""

import re
from collections.abc import Sequence

from tallystick.core.errors import InvalidInput
from tallystick.notifications.guard import UnusableUrl, parse_url
from tallystick.notifications.models import ChannelChanges, ChannelKind, NewChannel, Preferences

MOST_ADDRESSES = 50
MOST_CHANNELS = 20
MOST_KINDS = 20
LONGEST_ADDRESS = 254
NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"

_NAME = re.compile(NAME_PATTERN)
_KIND = re.compile(r"[a-z_]{1,40}(?:\.[a-z_]{1,40})?")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def check_new(wanted: NewChannel) -> None:
    """Pass when a channel can be like that.

    Raises:
        InvalidInput: otherwise; the message names what is wrong.
    """
    if not _NAME.fullmatch(wanted.name):
        message = "a channel's name has 1 to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit"
        raise InvalidInput(message, field="name")
    if wanted.kind is not ChannelKind.EMAIL and wanted.url is None:
        raise InvalidInput(f"a channel of kind {wanted.kind} needs a URL", field="url")
    _check(wanted.kind, wanted.to, wanted.url)
    _check_kinds(wanted.kinds)


def check_changes(kind: ChannelKind, changes: ChannelChanges) -> None:
    """Pass when a channel of that kind can be changed like that.

    Raises:
        InvalidInput: otherwise; the message names what is wrong.
    """
    _check(kind, changes.to or (), changes.url)
    _check_kinds(changes.kinds or ())


def check_preferences(wanted: Preferences) -> None:
    """Pass when a team can prefer that.

    Raises:
        InvalidInput: otherwise; the message names what is wrong.
    """
    check_addresses(wanted.emails, field="emails")
    if len(wanted.channels or ()) > MOST_CHANNELS:
        raise InvalidInput(f"a team has at most {MOST_CHANNELS} channels", field="channels")
    if unknown := [name for name in wanted.channels or () if not _NAME.fullmatch(name)]:
        raise InvalidInput(f"there is no channel {unknown[0]!r}", field="channels")
    if wanted.digest_at.tzinfo is not None:
        raise InvalidInput("digest_at is a time in the team's zone, without an offset: 09:00", field="digest_at")
    if wanted.quiet and wanted.quiet.start == wanted.quiet.end:
        raise InvalidInput("quiet hours begin and end at different times", field="quiet_hours")


def check_addresses(addresses: Sequence[str], *, field: str) -> None:
    """Pass when mail can be sent to each of them.

    Raises:
        InvalidInput: otherwise; the message names the first that is none.
    """
    if len(addresses) > MOST_ADDRESSES:
        raise InvalidInput(f"at most {MOST_ADDRESSES} addresses can be named", field=field)
    for each in addresses:
        if len(each) > LONGEST_ADDRESS or ".." in each or not _ADDRESS.fullmatch(each):
            raise InvalidInput(f"{each[:LONGEST_ADDRESS]!r} is not an email address", field=field)


def _check_kinds(kinds: Sequence[str]) -> None:
    if len(kinds) > MOST_KINDS:
        raise InvalidInput(f"a channel hears of at most {MOST_KINDS} kinds", field="kinds")
    if wrong := [each for each in kinds if not _KIND.fullmatch(each)]:
        message = f"{wrong[0][:100]!r} is no kind of notification such as throttle.changed, or alert"
        raise InvalidInput(message, field="kinds")


def _check(kind: ChannelKind, to: Sequence[str], url: str | None) -> None:
    if kind is ChannelKind.EMAIL and url is not None:
        raise InvalidInput("an email channel has no URL; the mail server is set by TALLYSTICK_SMTP_HOST", field="url")
    if kind is not ChannelKind.EMAIL and to:
        raise InvalidInput(f"a channel of kind {kind} has no addresses", field="to")
    check_addresses(to, field="to")
    if url is not None and not url.isprintable():
        raise InvalidInput("the URL has a character that no URL has", field="url")
    if url is not None and kind is not ChannelKind.APPRISE:
        try:
            parse_url(url)
        except UnusableUrl as error:
            raise InvalidInput(str(error), field="url") from None
