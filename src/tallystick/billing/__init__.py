"""Teams, subscriptions, billing periods, statements and the usage report.

periods.py      where each billing period begins and ends, as instants
teams/          who is billed, for which plan, since when
accounts.py     a team's terms in a period: subscription, prices, discounts
tariffs.py      which version of a price charges which part of a period, and which usage is read for it
charging.py     usage × prices → lines with steps; totals.py what is about the whole statement
projection.py   the run rate
statements/     open statements, now or as known at a past moment; closed ones, with their digest
closing/        a period becomes a statement for good, once; voiding and verifying one
adjustments/    what closed statements should have said by now, minus what was booked
credits/        prepaid credits and their ledger
currencies/     exchange rates
invoices/       documents made from closed statements
explain/        a line, down to its events
preview/        hypothetical usage, and a team on another plan
report.py       usage, cost, projection and history of one team; report_csv.py the history as CSV
validation.py   a period recomputed from its raw events
"""
