"""Usage on its way to Stripe's meters.

    usage ─▶ windows ─▶ deltas ─▶ outbox (stripe_deltas) ─▶ lanes ─▶ v1, or the stream ─▶ accepted ─▶ confirmed
             planning.py                                    sending.py                    ../reconciling

The ledger is the truth and Stripe a replica of it. A delta is what a window's usage has become less what was booked of
it before; it is written down complete, then sent until an answer settles it, and what it says is never changed.
"""
