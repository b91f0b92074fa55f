"""What a team used, what it costs, how its alerts stand."""

from datetime import datetime, timedelta, timezone

from tallystick_client import Client, Tracker

with Tracker() as tracker, Client() as client:
    tracker.track("acme", "api_call", "12.5", region="eu")
    tracker.flush()  # what was acknowledged is in every answer

    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    usage = client.usage("acme", "api_calls", start=yesterday, window="hour", group_by=["region"])
    print(usage.metrics["api_calls"].usage, usage.metrics["api_calls"].unit)

    costs = client.costs("acme")
    print(costs.total, costs.currency, "so far, leads to", costs.projected_total)
    for alert in client.alerts("acme"):
        print(alert.name, alert.state, alert.value, "of", alert.threshold, alert.unit)
