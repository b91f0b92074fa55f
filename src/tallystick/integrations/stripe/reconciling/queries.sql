-- name: earlier
-- The first comparison of a stretch that showed the same as now, with nothing having changed in the lane since.
SELECT c.stripe_time, c.accepted, c.stripe FROM stripe_comparisons c
WHERE c.lane_id = %(lane_id)s AND c.starts_at = %(starts_at)s
  AND c.accepted = %(accepted)s AND c.stripe = %(stripe)s
  AND c.compared_at >= %(since)s
  AND NOT EXISTS (SELECT FROM stripe_repairs r WHERE r.lane_id = c.lane_id AND r.repaired_at >= c.compared_at)
ORDER BY c.id LIMIT 1;

-- name: note
-- Write a comparison down.
INSERT INTO stripe_comparisons (lane_id, starts_at, ends_at, compared_at, stripe_time, local_total, accepted, waiting,
                                stripe, drift, detail)
VALUES (%(lane_id)s, %(starts_at)s, %(ends_at)s, %(now)s, %(stripe_time)s, %(local)s, %(accepted)s, %(waiting)s,
        %(stripe)s, %(drift)s, %(detail)s);

-- name: compared
-- When a lane was compared, and when it has to be again; null: when its turn comes.
UPDATE stripe_lanes SET compared_at = %(now)s, suspect_at = %(again)s WHERE id = %(lane_id)s;

-- name: due
-- The lanes to be compared: those under suspicion, and those whose billing period has ended and was not compared since
-- it is settled; and of the others those that were not compared for the longest time, a few.
WITH lanes AS (
    SELECT l.*, coalesce(l.suspect_at <= %(now)s, false)
                OR coalesce(t.last_edge <= %(settled)s AND coalesce(l.compared_at < t.last_edge
                            + (%(now)s::timestamptz - %(settled)s::timestamptz), true), false) AS pressing
    FROM stripe_lanes l JOIN stripe_metered_teams t ON t.team_id = l.team_id AND t.customer_id = l.customer_id
    WHERE l.account = %(account)s
), pressing AS (
    SELECT 1 AS turn, * FROM lanes WHERE pressing ORDER BY compared_at NULLS FIRST, id LIMIT %(most)s
), others AS (
    SELECT 2 AS turn, * FROM lanes
    WHERE NOT pressing AND (coalesce(compared_at < %(stale)s, true) OR compared_at > %(now)s)
    ORDER BY compared_at NULLS FIRST, id LIMIT %(sample)s
)
SELECT id, account, customer_id, event_name, meter_id, team_id, metric
FROM (SELECT * FROM pressing UNION ALL SELECT * FROM others) l
ORDER BY turn, compared_at NULLS FIRST, id;

-- name: repairs_alone
-- Whether nobody else repairs a lane; nobody else does until the transaction ends.
SELECT pg_try_advisory_xact_lock(7461040, %(lane_id)s::int);

-- name: last_repair
-- The last repair of a lane.
SELECT coalesce(max(id), 0) FROM stripe_repairs WHERE lane_id = %(lane_id)s;

-- name: differed
-- How often a stretch of a lane differed, since an instant.
SELECT count(*) FROM stripe_comparisons
WHERE lane_id = %(lane_id)s AND starts_at = %(starts_at)s AND compared_at >= %(since)s AND drift <> 'none';

-- name: looked_until
-- Up to where usage of a team was looked at, and from when on Stripe is told it.
SELECT metered_from, planned_until FROM stripe_metered_teams WHERE team_id = %(team_id)s;

-- name: late_in
-- What came too late, of the windows in a stretch of a lane.
SELECT coalesce(sum(quantity), 0) FROM stripe_deltas
WHERE lane_id = %(lane_id)s AND state = 'late' AND kind = 'usage'
  AND window_start < %(ends_at)s AND window_end > %(starts_at)s;

-- name: carried_in
-- What was late elsewhere and is told in a stretch of a lane.
SELECT coalesce(sum(quantity), 0) FROM stripe_deltas
WHERE lane_id = %(lane_id)s AND kind = 'carried' AND state NOT IN ('lost', 'rejected', 'cancelled', 'late')
  AND stamped_at >= %(starts_at)s AND stamped_at < %(ends_at)s;

-- name: latest
-- The last comparison of each lane and stretch, of some teams or all, the newest stretch first.
SELECT DISTINCT ON (l.team_id, l.metric, c.starts_at)
       l.id, l.account, l.customer_id, l.event_name, l.meter_id, l.team_id, l.metric,
       c.starts_at, c.ends_at, c.local_total, c.accepted, c.waiting, c.stripe, c.drift, c.detail
FROM stripe_comparisons c JOIN stripe_lanes l ON l.id = c.lane_id
WHERE l.account = %(account)s AND (%(teams)s::text[] IS NULL OR l.team_id = ANY (%(teams)s))
ORDER BY l.team_id, l.metric, c.starts_at DESC, c.id DESC;
