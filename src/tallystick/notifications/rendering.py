"""How a notification reads, by templates: built-in ones, and those of a folder that take their place.

A part of a message (`subject.txt`, `email.txt`, `email.html`, `slack.json`, `plain.txt`) is looked for under the
notification's kind, then under the first word of the kind, then under `default`: `alert.exceeded.subject.txt`,
`alert.subject.txt`, `default.subject.txt`. In each case the folder comes first.

A template of the folder that fails never keeps a message back: the built-in one is used, and the log says why.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import BaseLoader, DictLoader, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.sandbox import SandboxedEnvironment

from tallystick.http.answers import rfc3339
from tallystick.notifications.sending import Outgoing

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 200
_EMPTY_LINES = re.compile(r"\n{3,}")
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Mail(NamedTuple):
    """An email's subject, its text, and the same in HTML."""

    subject: str
    text: str
    html: str


class Plain(NamedTuple):
    """A message for channels that know only text."""

    title: str
    text: str


class Templates:
    """Writes messages.

    Args:
        folder: templates that take the place of built-in ones; None: there are none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        built_in = {
            each.name: each.read_text(encoding="utf-8") for each in files(__package__).joinpath("templates").iterdir()
        }
        self._built_in = _environment(DictLoader(built_in))
        self._own = _environment(FileSystemLoader(folder)) if folder else None

    def email(self, outgoing: Outgoing) -> Mail:
        """The email of a notification."""
        write = partial(self._write, outgoing)
        return Mail(self._subject(outgoing), write("email.txt"), write("email.html"))

    def slack(self, outgoing: Outgoing) -> bytes:
        """The message of a notification as Slack's API takes it, in JSON."""
        return self._write(outgoing, "slack.json").encode()

    def plain(self, outgoing: Outgoing) -> Plain:
        """The notification as plain text."""
        return Plain(self._subject(outgoing), self._write(outgoing, "plain.txt"))

    def _subject(self, outgoing: Outgoing) -> str:
        return " ".join(self._write(outgoing, "subject.txt").split())[:LONGEST_SUBJECT]

    def _write(self, outgoing: Outgoing, part: str) -> str:
        values = _values(outgoing)
        if self._own is not None:
            try:
                return _rendered(self._own, values, part)
            except TemplateNotFound:
                pass
            except Exception as error:  # noqa: BLE001 - a template of the user's may fail in any way
                log.warning("template for %s %s failed, the built-in one is used: %s", values["kind"], part, error)
        return _rendered(self._built_in, values, part)


def _rendered(environment: SandboxedEnvironment, values: Mapping[str, Any], part: str) -> str:
    """The part of the message.

    Raises:
        TemplateNotFound: this environment has no template for it.
        TemplateError: the template is wrong, or asks for what the notification does not have.
        ValueError: it should be JSON and is not.
    """
    text = environment.select_template([f"{name}.{part}" for name in _names(values["kind"])]).render(values)
    if part.endswith(".json"):
        json.loads(text)
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n" if part.endswith(".txt") else text


def _names(kind: str) -> Iterator[str]:
    yield kind
    yield kind.partition(".")[0]
    yield "default"


def _values(outgoing: Outgoing) -> dict[str, Any]:
    """What a template may show."""
    notification = outgoing.delivery.notification
    content = notification.content
    return {
        **_telling(content, notification.kind),
        "content": content,
        "items": [_telling(each, notification.kind) for each in content.get("items") or []],
        "kind": notification.kind,
        "key": notification.key,
        "team_id": notification.team_id,
        "team": outgoing.team or notification.team_id,
        "occurred_at": rfc3339(notification.occurred_at),
        "urgent": notification.urgent,
        "repeated": outgoing.delivery.uncertain,
    }


def _telling(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The members that every message shows, whether the content has them or not."""
    link = str(content.get("link") or "")
    return {
        "title": str(content.get("title") or kind),
        "text": str(content.get("text") or ""),
        "facts": [{"label": str(each["label"]), "value": str(each["value"])} for each in content.get("facts") or []],
        "link": link if link.startswith(("https://", "http://")) else "",
        "occurred_at": str(content.get("occurred_at") or ""),
    }


def _environment(loader: BaseLoader) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=loader,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mrkdwn"] = lambda text: str(text).translate(_SLACK)
    return environment
