-- name: booked_periods
-- Closed statements of some teams, as they stood in the books at an instant, and up to when they were booked then.
SELECT id, team_id, subscription_id, period_start, period_end, currency, known_at,
       greatest(CASE WHEN rated_at <= %(known_at)s THEN rated_at ELSE known_at END, (
           SELECT max(later.known_at) FROM statement_lines l JOIN metered_billing_periods later ON later.id = l.period_id
           WHERE l.adjusts_period_id = period.id AND later.closed_at <= %(known_at)s
             AND (later.voided_at IS NULL OR later.voided_at > %(known_at)s))), inputs -> 'full'
FROM metered_billing_periods AS period
WHERE team_id = ANY(%(team_ids)s) AND kind = 'period' AND digest IS NOT NULL AND closed_at <= %(known_at)s
  AND (voided_at IS NULL OR voided_at > %(known_at)s)
ORDER BY team_id, period_start;

-- name: booked_lines
-- What stood in the books about some closed statements at an instant: their lines, and adjustments of them since.
SELECT coalesce(l.adjusts_period_id, l.period_id), l.id, l.period_id, l.position, l.key, l.kind, l.name, l.metric,
       l.unit, l.interval_start, l.interval_end, l.basis, l.quantity, l.events, l.unvalued, l.price_id, l.currency,
       l.amount, l.total, l.steps, l.reason, l.billing_currency, l.converted_total, l.exchange_rate, l.rate_date,
       l.rate_source, l.adjusts_period_id, l.adjusts_key, l.cause
FROM statement_lines l JOIN metered_billing_periods p ON p.id = l.period_id
WHERE p.closed_at <= %(known_at)s AND (p.voided_at IS NULL OR p.voided_at > %(known_at)s)
  AND ((l.adjusts_period_id IS NULL AND l.period_id = ANY(%(period_ids)s))
       OR l.adjusts_period_id = ANY(%(period_ids)s))
ORDER BY p.closed_at, l.period_id, l.position;

-- name: changed_terms
-- Of closed statements those whose prices or terms were recorded, replaced or ended at an instant or later.
WITH booked AS (
    SELECT b.id, b.team_id, s.plan, b.period_start, b.period_end, b.since
    FROM unnest(%(ids)s::bigint[], %(team_ids)s::text[], %(subscription_ids)s::bigint[], %(starts)s::timestamptz[],
                %(ends)s::timestamptz[], %(since)s::timestamptz[])
         AS b (id, team_id, subscription_id, period_start, period_end, since)
    JOIN subscriptions s ON s.id = b.subscription_id
), news AS MATERIALIZED (
    SELECT 'price ' || name AS what, plan, team_id, effective_from, effective_to, recorded_at AS at
    FROM prices WHERE recorded_at >= %(oldest)s
    UNION ALL
    SELECT 'price ' || name, plan, team_id, effective_from, effective_to, superseded_at
    FROM prices WHERE superseded_at >= %(oldest)s
    UNION ALL
    SELECT 'price ' || p.name, p.plan, p.team_id, least(p.effective_to, e.effective_to),
           greatest(p.effective_to, e.effective_to), e.replaced_at
    FROM price_ends e JOIN prices p ON p.id = e.price_id WHERE e.replaced_at >= %(oldest)s
    UNION ALL
    SELECT 'terms of plan ' || plan, plan, NULL, effective_from, 'infinity', greatest(recorded_at, superseded_at)
    FROM plan_terms WHERE recorded_at >= %(oldest)s OR superseded_at >= %(oldest)s
    UNION ALL
    SELECT 'terms of the team', NULL, team_id, effective_from, 'infinity', greatest(recorded_at, superseded_at)
    FROM team_terms WHERE recorded_at >= %(oldest)s OR superseded_at >= %(oldest)s
)
SELECT b.id, array_agg(DISTINCT n.what ORDER BY n.what)
FROM booked b JOIN news n ON (n.plan = b.plan OR n.team_id = b.team_id)
WHERE n.at > b.since AND n.effective_from < b.period_end AND n.effective_to > b.period_start
GROUP BY b.id;

-- name: rated
-- Corrections of these closed statements are booked up to an instant.
UPDATE metered_billing_periods SET rated_at = greatest(rated_at, %(at)s) WHERE id = ANY(%(period_ids)s);

-- name: forget_rating
-- Everything learned since these statements were closed is to be looked at again.
UPDATE metered_billing_periods SET rated_at = known_at WHERE id = ANY(%(period_ids)s);
