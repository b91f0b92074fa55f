-- name: closed_starts
-- Which periods of some teams are closed: by subscription, where they begin.
SELECT subscription_id, period_start FROM metered_billing_periods
WHERE team_id = ANY(%(team_ids)s) AND kind = 'period' AND status NOT IN ('active', 'void');

-- name: lock_teams
-- Those of some teams that nobody else is closing or changing; until the transaction ends nobody does.
SELECT id FROM teams WHERE id = ANY(%(team_ids)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- name: late_usage
-- What becomes of corrections of some teams, where it is another than the billing file says.
SELECT team_id, late_usage FROM team_late_usage WHERE team_id = ANY(%(team_ids)s);

-- name: open_statements
-- Statements that are being closed, in the place of their drafts; one that is closed already is left alone.
INSERT INTO metered_billing_periods AS period
    (team_id, subscription_id, period_start, period_end, currency, kind, status, computed_at)
SELECT team_id, subscription_id, period_start, period_end, currency, %(kind)s, 'closing', %(at)s
FROM unnest(%(team_ids)s::text[], %(subscription_ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
            %(currencies)s::text[])
     AS given (team_id, subscription_id, period_start, period_end, currency)
ON CONFLICT (subscription_id, period_start) WHERE kind = 'period' AND status <> 'void' DO UPDATE
SET period_end = excluded.period_end, currency = excluded.currency, status = 'closing',
    computed_at = excluded.computed_at
WHERE period.status = 'active'
RETURNING id, subscription_id, period_start;

-- name: forget_drafts
-- Open drafts that the closed periods overlap.
DELETE FROM metered_billing_periods p
USING unnest(%(team_ids)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS given (team_id, at, until)
WHERE p.team_id = given.team_id AND p.status = 'active' AND p.period_start < given.until AND p.period_end > given.at;

-- name: finish_statements
-- Statements are closed: from here on nothing about them changes.
UPDATE metered_billing_periods AS period
SET status = 'closed', subtotal = given.subtotal, credits = given.credits, total = given.total,
    known_at = %(known_at)s, rated_at = %(known_at)s, closed_at = %(closed_at)s, inputs = given.inputs,
    digest = given.digest, usage_snapshot = '[]'
FROM ROWS FROM (
    unnest(%(ids)s::bigint[], %(subtotals)s::numeric[], %(credits)s::numeric[], %(totals)s::numeric[],
           %(digests)s::text[]),
    jsonb_array_elements(%(inputs)s)
) AS given (id, subtotal, credits, total, digest, inputs)
WHERE period.id = given.id AND period.status = 'closing';

-- name: copy_lines
-- Lines of statements, many at once.
COPY statement_lines (period_id, position, key, kind, name, metric, unit, interval_start, interval_end, basis, quantity,
    events, unvalued, price_id, currency, amount, total, steps, reason, billing_currency, converted_total,
    exchange_rate, rate_date, rate_source, adjusts_period_id, adjusts_key, cause) FROM STDIN;

-- name: later_adjustments
-- Statements in the books that adjust one statement.
SELECT DISTINCT p.id FROM statement_lines l JOIN metered_billing_periods p ON p.id = l.period_id
WHERE l.adjusts_period_id = %(id)s AND p.status IN ('closed', 'invoiced', 'paid') ORDER BY p.id;

-- name: void_statement
-- Take a statement out of the books.
UPDATE metered_billing_periods
SET status = 'void', voided_at = %(at)s, void_reason = %(reason)s, voided_by = %(actor)s WHERE id = %(id)s;

-- name: adjusted_by
-- The statements that one statement adjusts.
SELECT DISTINCT adjusts_period_id FROM statement_lines WHERE period_id = %(id)s AND adjusts_period_id IS NOT NULL;

-- name: teams_with_statements
-- Teams with closed statements, after a position, whose corrections stand alone: by the rule, which is the one given
-- unless a team has its own, or because no subscription runs any more.
SELECT DISTINCT p.team_id
FROM metered_billing_periods p LEFT JOIN team_late_usage r ON r.team_id = p.team_id
WHERE p.team_id > %(after)s AND p.kind = 'period' AND p.status IN ('closed', 'invoiced', 'paid')
  AND (%(only)s::text[] IS NULL OR p.team_id = ANY(%(only)s))
  AND CASE coalesce(r.late_usage, %(late_usage)s)
      WHEN 'credit_note' THEN true
      WHEN 'next_period' THEN NOT EXISTS (
          SELECT FROM subscriptions s WHERE s.team_id = p.team_id AND s.ends_at > %(now)s)
      ELSE false
      END
ORDER BY p.team_id
LIMIT %(limit)s;
