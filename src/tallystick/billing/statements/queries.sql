-- name: save_draft
-- Keep the open statement of a period, unless a later one is kept or the period can't change any more.
INSERT INTO metered_billing_periods AS period
    (team_id, subscription_id, period_start, period_end, usage_snapshot, total, currency, status, computed_at)
VALUES (%(team_id)s, %(subscription_id)s, %(period_start)s, %(period_end)s, %(lines)s, %(total)s, %(currency)s,
        'active', %(computed_at)s)
ON CONFLICT (subscription_id, period_start) WHERE kind = 'period' AND status <> 'void' DO UPDATE
SET period_end = excluded.period_end, usage_snapshot = excluded.usage_snapshot, total = excluded.total,
    currency = excluded.currency, computed_at = excluded.computed_at
WHERE period.status = 'active' AND period.computed_at <= excluded.computed_at;

-- name: forget_overlapped
-- Open periods that another one took the place of: the zone, the plan or the subscription has changed since.
DELETE FROM metered_billing_periods
WHERE team_id = %(team_id)s AND status = 'active'
  AND period_start < %(period_end)s AND period_end > %(period_start)s
  AND (subscription_id, period_start) <> (%(subscription_id)s, %(period_start)s);

-- name: closed_period
-- One closed statement, without its lines.
SELECT id, team_id, subscription_id, kind, period_start, period_end, status, currency, subtotal, credits, total,
       known_at, rated_at, closed_at, inputs, digest, voided_at, void_reason, voided_by
FROM metered_billing_periods WHERE id = %(id)s AND digest IS NOT NULL;

-- name: lock_closed_period
-- One closed statement, which nobody else changes until the transaction ends.
SELECT id, team_id, subscription_id, kind, period_start, period_end, status, currency, subtotal, credits, total,
       known_at, rated_at, closed_at, inputs, digest, voided_at, void_reason, voided_by
FROM metered_billing_periods WHERE id = %(id)s AND digest IS NOT NULL FOR UPDATE;

-- name: list_periods
-- Statements, open drafts too, the newest period first, after a position; null filters nothing.
SELECT p.id, p.team_id, p.subscription_id, p.kind, p.period_start, p.period_end, p.status, p.currency, p.subtotal,
       p.credits, p.total, p.known_at, p.rated_at, p.closed_at, '{}'::jsonb, p.digest, p.voided_at, p.void_reason,
       p.voided_by
FROM metered_billing_periods p
WHERE (%(team_id)s::text IS NULL OR p.team_id = %(team_id)s)
  AND (%(status)s::text IS NULL OR p.status = %(status)s)
  AND (%(after_start)s::timestamptz IS NULL OR (p.period_start, p.id) < (%(after_start)s, %(after_id)s))
ORDER BY p.period_start DESC, p.id DESC
LIMIT %(limit)s;

-- name: lines_of
-- The lines of some statements, in their order.
SELECT id, period_id, position, key, kind, name, metric, unit, interval_start, interval_end, basis, quantity, events,
       unvalued, price_id, currency, amount, total, steps, reason, billing_currency, converted_total, exchange_rate,
       rate_date, rate_source, adjusts_period_id, adjusts_key, cause
FROM statement_lines WHERE period_id = ANY(%(period_ids)s) ORDER BY period_id, position;

-- name: line
-- One line of a closed statement.
SELECT id, period_id, position, key, kind, name, metric, unit, interval_start, interval_end, basis, quantity, events,
       unvalued, price_id, currency, amount, total, steps, reason, billing_currency, converted_total, exchange_rate,
       rate_date, rate_source, adjusts_period_id, adjusts_key, cause
FROM statement_lines WHERE id = %(id)s;

-- name: adjustments_of
-- What was booked later about some closed statements: their adjustments on statements that are not void.
SELECT l.id, l.period_id, l.position, l.key, l.kind, l.name, l.metric, l.unit, l.interval_start, l.interval_end,
       l.basis, l.quantity, l.events, l.unvalued, l.price_id, l.currency, l.amount, l.total, l.steps, l.reason,
       l.billing_currency, l.converted_total, l.exchange_rate, l.rate_date, l.rate_source, l.adjusts_period_id,
       l.adjusts_key, l.cause
FROM statement_lines l JOIN metered_billing_periods p ON p.id = l.period_id
WHERE l.adjusts_period_id = ANY(%(period_ids)s) AND p.status IN ('closed', 'invoiced', 'paid')
ORDER BY l.adjusts_period_id, p.closed_at, l.period_id, l.position;
