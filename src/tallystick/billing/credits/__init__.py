"""Credits: what was granted to a team, what it paid for, and a ledger of both that always sums to zero.

models.py    grants, lines that credits can pay, burns
chain.py     a grant through time: what is given, carried over, expires, and is left at any moment; pure
burning.py   which grant pays how much of which line, in one order; pure
posting.py   the ledger's transactions that lead from one state of a grant to another; pure
applying.py  credits in the closing of a period
service.py   grants are made, voided and listed; balances and the ledger
"""

from tallystick.billing.credits.applying import apply, apply_many, burns, foreseen, reverse
from tallystick.billing.credits.models import Bill, Burn, Creditable, Grant, GrantKind

__all__ = [
    "Bill",
    "Burn",
    "Creditable",
    "Grant",
    "GrantKind",
    "apply",
    "apply_many",
    "burns",
    "foreseen",
    "reverse",
]
