"""How the endpoints of billing find it."""

from typing import Annotated, cast

from fastapi import Depends, Request

from tallystick.billing.service import Billing


def service(request: Request) -> Billing:
    """The application's billing."""
    return cast(Billing, request.app.state.billing)


Service = Annotated[Billing, Depends(service)]
