"""Teams, subscriptions, billing periods, statements and the usage report.

periods.py     where each billing period begins and ends, as instants
teams/         who is billed, for which plan, since when
accounts.py    a team's terms at a moment: subscription, period, prices
charging.py    usage of a period × its prices → lines with steps; the run-rate projection
statements.py  what the current period comes to so far, kept as a draft
report.py      usage, cost, projection and history of one team; report_csv.py the history as CSV
"""
