"""Who collects the money: one interface, so that nothing else knows whether it is Stripe, another, or nobody."""

from tallystick.integrations.billing_provider.models import BillingProvider, Synced
from tallystick.integrations.billing_provider.null import NullProvider

__all__ = ["BillingProvider", "NullProvider", "Synced"]
