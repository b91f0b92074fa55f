"""Takes messages of Stripe's in: signed, of the present, stored once. They are looked at by the worker, not here."""

from dataclasses import dataclass
from typing import Self

import msgspec

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput
from tallystick.core.settings import Settings
from tallystick.integrations.inbound.models import StripeSignature
from tallystick.integrations.inbound.signatures import Call, Verify, verifier
from tallystick.integrations.stripe.webhooks import store
from tallystick.integrations.stripe.webhooks.models import told
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class StripeInbox:
    """Where Stripe's messages arrive.

    Attributes:
        database: where they are kept.
        clock: what is the present.
        verify: knows the signing secrets; None: there are none, and nothing is taken in.
    """

    database: Database
    clock: Clock
    verify: Verify | None

    @classmethod
    def open(cls, settings: Settings, database: Database, clock: Clock) -> Self:
        """The inbox with the secrets of the settings."""
        text = settings.stripe_webhook_secret.get_secret_value() if settings.stripe_webhook_secret else ""
        secrets = {f"secret_{i}": each.strip() for i, each in enumerate(text.split(",")) if each.strip()}
        if not secrets:
            return cls(database, clock, None)
        return cls(database, clock, verifier(StripeSignature(scheme="stripe", secrets=tuple(secrets)), secrets))

    async def receive(self, call: Call) -> bool:
        """Keep a message for the worker; whether it was new.

        Raises:
            Refused: it is not signed, or of another time than the present, past or future.
            InvalidInput: it is no event of Stripe's.
        """
        assert self.verify is not None
        self.verify(call)
        try:
            document = msgspec.json.decode(call.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise InvalidInput("the body is not JSON") from None
        async with self.database.transaction() as tx:
            return await store.keep(tx, told(document), self.clock.now())
