"""Topics, read as a consumer group: at least once, and an offset is committed after its messages are durable.

Whatever ends the process, a message that was not stored is read again, and one that was has an identity that
is known. When partitions move to another member of the group, it begins at the last commit, so some messages are
read twice, and counted once.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    AuthenticationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)

from tallystick.core.errors import ConfigurationError
from tallystick.integrations.kafka.messages import read, together
from tallystick.integrations.kafka.models import Message, Reading, Subscription
from tallystick.metering.decoding import Decoded, Limits
from tallystick.metering.ingestion import Outcome
from tallystick.metering.resending import Resending, Stopped
from tallystick.metering.service import Metering

MOST_MESSAGES = 5000
POLL_MS = 300
RETRY = timedelta(seconds=2)

_HOPELESS = (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    UnsupportedCodecError,
)


class Stored(NamedTuple):
    """Some messages, and what became of their events; `places` tells the message of each place in the request."""

    places: Sequence[Message]
    outcome: Outcome


class KafkaSource:
    """Reads topics and has their events stored.

    Args:
        subscription: what is read.
        reading: what it means.
        metering: where events are stored. While it can't be reached, messages wait in their topics.
        tell: is told what became of messages, once they are stored.
        note: is told what a person should know.
    """

    def __init__(
        self,
        subscription: Subscription,
        reading: Reading,
        metering: Metering,
        tell: Callable[[Stored], None],
        note: Callable[[str], None],
    ) -> None:
        self._subscription = subscription
        self._reading = reading
        self._metering = metering
        self._tell = tell
        self._note = note
        self._noted: str | None = None

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> None:
        """Read until told to stop; where brokers are away or fail, from the last commit on when they are back.

        Args:
            stop: ends it when set; what has been read by then is stored first.
            once: end it when everything that is there has been stored, of the partitions that this member has.

        Raises:
            ConfigurationError: brokers refuse us, or send what can't be unpacked.
        """
        resending = Resending(self._metering, stop, self._note)
        while not stop.is_set():
            try:
                await self._read(stop, resending, once=once)
            except Stopped:
                return
            except _HOPELESS as error:
                raise ConfigurationError(f"Kafka: {_reason(error)}") from None
            except KafkaError as error:
                self._note_once(f"Kafka at {','.join(self._subscription.servers)}: {_reason(error)}; trying again")
                await resending.pause(RETRY)
            else:
                return

    async def _read(self, stop: asyncio.Event, resending: Resending, *, once: bool) -> None:
        async with _member(self._subscription, stop) as consumer:
            await self._note_missing(consumer)
            if self._subscription.from_end:
                await _begin_at_end(consumer)
            ends = await consumer.end_offsets(consumer.assignment()) if once else {}
            while not stop.is_set():
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_MESSAGES)
                messages = [_message(record) for record in chain.from_iterable(found.values())]
                await self._store(messages, resending)
                await self._commit(consumer, messages)
                self._noted = None
                if once and await _is_at(consumer, ends):
                    return

    async def _store(self, messages: Sequence[Message], resending: Resending) -> None:
        for batch in self._batches(messages):
            places: list[Message] = []

            def decode(limits: Limits, batch: Sequence[Message] = batch, places: list[Message] = places) -> Decoded:
                decoded = [read(message, self._reading, limits) for message in batch]
                places[:] = chain.from_iterable([m] * d.size for m, d in zip(batch, decoded, strict=True))
                return together(decoded)

            self._tell(Stored(places, await resending.store(decode)))

    def _batches(self, messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
        """Batches that are bounded in bytes, too: a message can hold many events."""
        begin, size = 0, 0
        for at, message in enumerate(messages):
            size += len(message.value or b"")
            if size > self._most_bytes and at > begin:
                yield messages[begin:at]
                begin, size = at, len(message.value or b"")
        if messages:
            yield messages[begin:]

    _most_bytes = 4 * 1024 * 1024

    async def _commit(self, consumer: AIOKafkaConsumer, messages: Sequence[Message]) -> None:
        """Commit what was stored, of the partitions that are still ours; of others, their new reader does."""
        offsets: dict[TopicPartition, int] = {}
        for message in messages:
            offsets[TopicPartition(message.topic, message.partition)] = message.offset + 1
        ours = {at: offset for at, offset in offsets.items() if at in consumer.assignment()}
        if ours:
            try:
                await consumer.commit(ours)
            except (CommitFailedError, IllegalStateError):
                return

    async def _note_missing(self, consumer: AIOKafkaConsumer) -> None:
        missing = sorted(set(self._subscription.topics) - await consumer.topics())
        if missing:
            self._note(f"Kafka has no topic {', '.join(missing)} yet; waiting for it")

    def _note_once(self, message: str) -> None:
        if message != self._noted:
            self._noted = message
            self._note(message)


@asynccontextmanager
async def _member(subscription: Subscription, stop: asyncio.Event) -> AsyncIterator[AIOKafkaConsumer]:
    """A member of the group, for the length of the block; brokers that don't answer don't keep us from stopping."""
    consumer = AIOKafkaConsumer(*subscription.topics, **_settings(subscription))
    starting, stopping = asyncio.create_task(consumer.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait([starting])
            raise Stopped
        await starting
        yield consumer
    finally:
        stopping.cancel()
        await consumer.stop()


async def _begin_at_end(consumer: AIOKafkaConsumer) -> None:
    """Skip what is in partitions of which the group has read nothing.

    The ends are committed, because what is produced from now on has to count though nobody may read it now. Were it
    the client's policy instead, messages deleted unread would make it skip all that are still there.
    """
    unread = [at for at in consumer.assignment() if await consumer.committed(at) is None]
    if unread:
        ends = await consumer.end_offsets(unread)
        for at, end in ends.items():
            consumer.seek(at, end)
        await consumer.commit(ends)


def _message(record: Any) -> Message:
    return Message(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, record.headers
    )


async def _is_at(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Whether everything before the ends has been read, in the partitions that are still ours."""
    ours = [(at, end) for at, end in ends.items() if at in consumer.assignment()]
    return all([await consumer.position(at) >= end for at, end in ours])


def _settings(subscription: Subscription) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "bootstrap_servers": list(subscription.servers),
        "group_id": subscription.group,
        "client_id": "tallystick",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "security_protocol": subscription.security.upper().replace("-", "_").replace("TLS", "SSL"),
    }
    if subscription.tls:
        settings["ssl_context"] = ssl.create_default_context(cafile=subscription.ca_file)
    if subscription.sasl:
        settings["sasl_mechanism"] = subscription.mechanism.upper()
        settings["sasl_plain_username"] = subscription.username
        settings["sasl_plain_password"] = subscription.password
    return settings


def _reason(error: KafkaError) -> str:
    """An error of the client as one line."""
    return " ".join(str(error).split()) or type(error).__name__
