"""The event store on PostgreSQL: the first implementation of `metering.event_store`, and the default."""

from tallystick.metering.postgres.store import PostgresEventStore

__all__ = ["PostgresEventStore"]
