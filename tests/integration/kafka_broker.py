"""A Kafka broker for tests, and what is produced to it.

TALLYSTICK_TEST_KAFKA=host:port names a real one. Without it, it is the broker that librdkafka, the client that most
others are built on, brings to test itself: it listens on a socket and speaks the protocol, with consumer groups and
their rebalancing, but is none that keeps anything.
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Broker:
    """A broker and a producer on it."""

    def __init__(self, library: Any, producer: Any, servers: str) -> None:
        self._library = library
        self._producer = producer
        self.servers = servers

    def packing(self, codec: str) -> "Broker":
        """The same broker, to which messages are produced packed."""
        producer = self._library.Producer({"bootstrap.servers": self.servers, "compression.type": codec})
        return Broker(self._library, producer, self.servers)

    def topic(self) -> str:
        """The name of a topic that nobody else uses."""
        return f"usage-{uuid.uuid4().hex[:8]}"

    def produce(self, topic: str, *values: Any, **more: Any) -> None:
        """Append messages: JSON of what is no bytes; `more` are key, headers, partition."""
        for value in values:
            data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
            self._producer.produce(topic, data, **more)
            self._producer.poll(0)
        assert self._producer.flush(60) == 0


@contextmanager
def running_broker() -> Iterator[Broker]:
    """A broker, for the length of the block."""
    confluent_kafka = pytest.importorskip(
        "confluent_kafka", reason="the test broker (confluent-kafka) is not installed"
    )
    if servers := os.environ.get("TALLYSTICK_TEST_KAFKA"):
        yield Broker(confluent_kafka, confluent_kafka.Producer({"bootstrap.servers": servers}), servers)
        return
    producer = confluent_kafka.Producer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "unused",
            "log_level": 3,
            "queue.buffering.max.messages": 10**6,
        }
    )
    brokers = producer.list_topics(timeout=60).brokers.values()
    yield Broker(confluent_kafka, producer, ",".join(f"{each.host}:{each.port}" for each in brokers))
