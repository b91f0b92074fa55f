-- name: save_statement
-- Keep the open statement of a period, unless a later one is kept or the period can't change any more.
INSERT INTO metered_billing_periods AS period
    (team_id, subscription_id, period_start, period_end, usage_snapshot, total, currency, status, computed_at)
VALUES (%(team_id)s, %(subscription_id)s, %(period_start)s, %(period_end)s, %(lines)s, %(total)s, %(currency)s,
        'active', %(computed_at)s)
ON CONFLICT (subscription_id, period_start) DO UPDATE
SET period_end = excluded.period_end, usage_snapshot = excluded.usage_snapshot, total = excluded.total,
    currency = excluded.currency, computed_at = excluded.computed_at
WHERE period.status = 'active' AND period.computed_at <= excluded.computed_at;

-- name: forget_overlapped
-- Open periods that another one took the place of: the zone, the plan or the subscription has changed since.
DELETE FROM metered_billing_periods
WHERE team_id = %(team_id)s AND status = 'active'
  AND period_start < %(period_end)s AND period_end > %(period_start)s
  AND (subscription_id, period_start) <> (%(subscription_id)s, %(period_start)s);
