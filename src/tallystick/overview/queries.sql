-- name: try_lock_keeping
-- Whether this transaction is the one that keeps the overview; no other does until it ends.
SELECT pg_try_advisory_xact_lock(7461019);

-- name: touched
-- Teams that are to be computed, oldest word first.
SELECT id, team_id FROM overview_touched ORDER BY id LIMIT %(limit)s;

-- name: forget_touched
-- These were computed.
DELETE FROM overview_touched WHERE id = ANY(%(ids)s::bigint[]);

-- name: due
-- Teams that are to be computed although nothing was touched.
SELECT team_id FROM overview_teams WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s;

-- name: earlier
-- What is known of the periods before, by team.
SELECT team_id, previous_start, previous, previous_at FROM overview_teams WHERE team_id = ANY(%(team_ids)s);

-- name: keep
-- The present of teams.
INSERT INTO overview_teams AS o (team_id, plan, currency, period_start, period_end, events, cost, projected,
                                 previous_start, previous, previous_at, computed_at, due_at)
SELECT * FROM unnest(
    %(team_ids)s::text[], %(plans)s::text[], %(currencies)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(events)s::bigint[], %(costs)s::numeric[], %(projected)s::numeric[], %(previous_starts)s::timestamptz[],
    %(previous)s::numeric[], %(previous_at)s::timestamptz[], %(computed_at)s::timestamptz[], %(due_at)s::timestamptz[])
ON CONFLICT (team_id) DO UPDATE SET
    plan = excluded.plan, currency = excluded.currency, period_start = excluded.period_start,
    period_end = excluded.period_end, events = excluded.events, cost = excluded.cost, projected = excluded.projected,
    previous_start = excluded.previous_start, previous = excluded.previous, previous_at = excluded.previous_at,
    computed_at = excluded.computed_at, due_at = excluded.due_at;

-- name: totals
-- What all teams come to, by currency, the one of most teams first.
SELECT currency, count(*), coalesce(sum(cost), 0), coalesce(sum(projected), 0), coalesce(sum(previous), 0)
FROM overview_teams WHERE currency IS NOT NULL
GROUP BY currency ORDER BY count(*) DESC, currency;

-- name: standing
-- How many teams there are, how many of them wait to be computed, and since when the longest ago was.
SELECT (SELECT count(*) FROM teams),
       (SELECT count(DISTINCT team_id) FROM (SELECT team_id FROM overview_touched LIMIT 10000) waiting),
       (SELECT min(computed_at) FROM overview_teams);

-- name: top
-- The teams that owe most, of each currency.
SELECT {team} FROM unnest(%(currencies)s::text[]) AS wanted (currency)
CROSS JOIN LATERAL (
    SELECT * FROM overview_teams o WHERE o.currency = wanted.currency
    ORDER BY o.cost DESC NULLS LAST, o.team_id LIMIT %(limit)s
) o
JOIN teams t ON t.id = o.team_id
ORDER BY array_position(%(currencies)s::text[], o.currency), o.cost DESC NULLS LAST, o.team_id;

-- name: growing
-- The teams whose period will come to most more than the one before, of each currency.
SELECT {team} FROM unnest(%(currencies)s::text[]) AS wanted (currency)
CROSS JOIN LATERAL (
    SELECT * FROM overview_teams o WHERE o.currency = wanted.currency AND o.projected > o.previous
    ORDER BY o.projected - o.previous DESC, o.team_id LIMIT %(limit)s
) o
JOIN teams t ON t.id = o.team_id
ORDER BY array_position(%(currencies)s::text[], o.currency), o.projected - o.previous DESC, o.team_id;

-- name: at_risk
-- The worst step of each alert that is crossed now, the worst first.
SELECT * FROM (
    SELECT DISTINCT ON (st.team_id, st.alert_id)
           st.team_id, t.name, st.alert_id, a.name, a.kind, a.metric, st.state, st.value,
           coalesce(s.value, a.threshold_value * s.percent / 100) AS limit_value, a.threshold_value,
           coalesce(a.currency, m.unit), st.changed_at, s.type
    FROM usage_alert_states st
    JOIN usage_alerts a ON a.id = st.alert_id AND a.active AND a.deleted_at IS NULL
    JOIN usage_alert_steps s ON s.id = st.step_id AND s.retired_at IS NULL
    JOIN teams t ON t.id = st.team_id
    LEFT JOIN metrics m ON m.name = a.metric
    WHERE st.state <> 'resolved' AND (st.period_end IS NULL OR st.period_end > %(now)s)
    ORDER BY st.team_id, st.alert_id, st.state = 'exceeded' DESC, s.position DESC
) worst
ORDER BY worst.state = 'exceeded' DESC, worst.changed_at DESC
LIMIT %(limit)s;

-- name: alerts
-- How many alerts look at something, how many teams are over a limit or near one, and what changed in a day.
SELECT (SELECT count(*) FROM usage_alerts WHERE active AND deleted_at IS NULL),
       (SELECT count(DISTINCT team_id) FROM usage_alert_states
        WHERE state = 'warning' AND (period_end IS NULL OR period_end > %(now)s)),
       (SELECT count(DISTINCT team_id) FROM usage_alert_states
        WHERE state = 'exceeded' AND (period_end IS NULL OR period_end > %(now)s)),
       (SELECT count(*) FROM (SELECT known_at FROM usage_alert_history ORDER BY id DESC LIMIT 1000) recent
        WHERE known_at > %(now)s - interval '1 day');

-- name: minutes
-- Events by the minute in which they were recorded.
SELECT date_trunc('minute', recorded_at), sum(events)
FROM ingest_batches WHERE recorded_at >= %(start)s AND recorded_at < %(end)s
GROUP BY 1;

-- name: tail
-- How many batches and events no roll-up has taken, and since when the oldest waits.
SELECT count(*), coalesce(sum(events), 0), min(recorded_at) FROM (
    SELECT events, recorded_at FROM ingest_batches WHERE rolled_up_at IS NULL ORDER BY id LIMIT 10000
) tail;

-- name: dead_letters
-- Rejected events that wait to be repaired, by reason, the most frequent first; 100,000 of them are looked at.
SELECT code, count(*) FROM (
    SELECT code FROM dead_letters WHERE replayed_at IS NULL AND discarded_at IS NULL ORDER BY id LIMIT 100000
) waiting
GROUP BY code ORDER BY count(*) DESC, code;

-- name: stripe
-- What is to be told to Stripe: waiting, held, refused, too late; and bills that are held, and that are open.
SELECT (SELECT count(*) FROM stripe_deltas WHERE state = 'pending'),
       (SELECT count(*) FROM stripe_deltas d JOIN stripe_lanes l ON l.id = d.lane_id
        WHERE d.state = 'pending' AND l.hold IS NOT NULL),
       (SELECT count(*) FROM stripe_deltas WHERE state = 'quarantined'),
       (SELECT count(*) FROM stripe_deltas WHERE state = 'late'),
       (SELECT count(*) FROM stripe_bills WHERE state IN ('planned', 'drafted')),
       (SELECT count(*) FROM stripe_bills WHERE hold IS NOT NULL AND state IN ('planned', 'drafted'));

-- name: drift
-- Lanes whose last comparison with Stripe differs in what somebody should hear of.
SELECT l.team_id, l.metric, c.drift, c.local_total, c.stripe, c.compared_at
FROM stripe_lanes l
CROSS JOIN LATERAL (
    SELECT * FROM stripe_comparisons c WHERE c.lane_id = l.id ORDER BY c.starts_at DESC, c.compared_at DESC LIMIT 1
) c
WHERE c.drift IN ('missing', 'extra', 'foreign')
ORDER BY c.compared_at DESC LIMIT %(limit)s;
