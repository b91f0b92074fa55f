"""Ask before the work: is enough left, and let nobody else take it meanwhile."""

from tallystick_client import Client, LimitReached, Tracker

with Tracker() as tracker, Client(when_unavailable="open") as client:
    tracker.track("acme", "api_call", 1)
    tracker.flush()

    check = client.check("acme", "api_calls")
    print("allowed" if check else f"refused: {check.reason}", "of", check.limit)

    try:
        with client.reserve("acme", "api_calls", 20) as reservation:
            calls = 17  # the work, which came to less
            tracker.track("acme", "api_call", calls, idempotency_key=reservation.key)
            reservation.commit()
    except LimitReached as refusal:
        print("come back at", refusal.check.retry_at)
