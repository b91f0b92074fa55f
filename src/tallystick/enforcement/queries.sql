-- name: lock_throttles
-- Nobody else changes the throttles of this team until the transaction ends.
SELECT pg_advisory_xact_lock(7461021, hashtext(%(team_id)s));

-- name: standing
-- Until when a team is throttled for a metric, by the cause that ends last; null: until lifted. No row: it is open.
SELECT nullif(max(until), 'infinity') FROM usage_throttles
WHERE team_id = %(team_id)s AND metric = %(metric)s AND until > %(now)s
HAVING count(*) > 0;

-- name: set_throttle
-- Throttle for a cause; another end moves the one that it has. Servers forget what they knew of the team.
WITH changed AS (INSERT INTO enforcement_changes (team_id) VALUES (%(team_id)s))
INSERT INTO usage_throttles (team_id, metric, cause, since, until)
VALUES (%(team_id)s, %(metric)s, %(cause)s, %(now)s, coalesce(%(until)s, 'infinity'::timestamptz))
ON CONFLICT (team_id, metric, cause) DO UPDATE SET
    until = excluded.until,
    since = CASE WHEN usage_throttles.until > %(now)s THEN usage_throttles.since ELSE excluded.since END;

-- name: end_throttle
-- End a cause. Servers forget what they knew of the team.
WITH changed AS (INSERT INTO enforcement_changes (team_id) VALUES (%(team_id)s))
DELETE FROM usage_throttles WHERE team_id = %(team_id)s AND metric = %(metric)s AND cause = %(cause)s;

-- name: ended_throttles
-- Causes that have ended by themselves, in the order of their teams.
SELECT team_id, metric, cause FROM usage_throttles WHERE until <= %(now)s
ORDER BY team_id, metric, cause LIMIT %(limit)s;

-- name: remove_ended_throttle
-- Remove a cause if it has ended.
DELETE FROM usage_throttles
WHERE team_id = %(team_id)s AND metric = %(metric)s AND cause = %(cause)s AND until <= %(now)s;

-- name: throttles
-- The causes in force, of some teams or of all.
SELECT team_id, metric, cause, since, nullif(until, 'infinity') FROM usage_throttles
WHERE until > %(now)s AND (%(team_ids)s::text[] IS NULL OR team_id = ANY(%(team_ids)s))
ORDER BY team_id, metric, cause;

-- name: record_throttle_change
-- Keep that a team's state changed.
INSERT INTO throttle_changes (team_id, metric, state, until, cause, changed_at)
VALUES (%(team_id)s, %(metric)s, %(state)s, coalesce(%(until)s, 'infinity'::timestamptz), %(cause)s, %(now)s)
RETURNING id;

-- name: ledger
-- What this snapshot sees, the catalogue's revision, and what is out of date since an earlier snapshot.
SELECT pg_current_snapshot()::text, (SELECT coalesce(max(id), 0) FROM catalogue_revisions), coalesce(
    (SELECT jsonb_agg(DISTINCT jsonb_build_array(c.team_id, c.metric)) FROM enforcement_changes c
     WHERE c.xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot)
       AND NOT pg_visible_in_snapshot(c.xid, %(mark)s::pg_snapshot)), '[]');

-- name: forget_changes
-- No server remembers anything from before.
DELETE FROM enforcement_changes WHERE changed_at < clock_timestamp() - interval '1 hour';

-- name: limits_of
-- The limits of some teams, and of some plans, for some metrics.
SELECT id, team_id, plan, metric, type, quantity, actor, created_at, updated_at FROM usage_limits
WHERE (team_id = ANY(%(teams)s) OR plan = ANY(%(plans)s)) AND metric = ANY(%(metrics)s);

-- name: limits
-- A page of limits by id.
SELECT id, team_id, plan, metric, type, quantity, actor, created_at, updated_at FROM usage_limits
WHERE id > %(after)s AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s)
  AND (%(plan)s::text IS NULL OR plan = %(plan)s) AND (%(metric)s::text IS NULL OR metric = %(metric)s)
ORDER BY id LIMIT %(limit)s;

-- name: find_limit
-- One limit.
SELECT id, team_id, plan, metric, type, quantity, actor, created_at, updated_at FROM usage_limits WHERE id = %(id)s;

-- name: set_limit
-- Set a limit, in place of the one there is. Servers forget what they knew of the metric.
WITH changed AS (INSERT INTO enforcement_changes (team_id, metric) VALUES (NULL, %(metric)s))
INSERT INTO usage_limits (team_id, plan, metric, type, quantity, actor, created_at, updated_at)
VALUES (%(team_id)s, %(plan)s, %(metric)s, %(type)s, %(quantity)s, %(actor)s, %(now)s, %(now)s)
ON CONFLICT (metric, type, team_id, plan) DO UPDATE SET
    quantity = excluded.quantity, actor = excluded.actor, updated_at = excluded.updated_at
RETURNING id, team_id, plan, metric, type, quantity, actor, created_at, updated_at;

-- name: remove_limit
-- Remove a limit. Servers forget what they knew of its metric.
WITH removed AS (DELETE FROM usage_limits WHERE id = %(id)s RETURNING metric)
INSERT INTO enforcement_changes (team_id, metric) SELECT NULL, metric FROM removed;

-- name: plan_exists
-- Whether there is a plan of this name, with its version or without.
SELECT EXISTS (SELECT FROM plans WHERE name = %(plan)s OR split_part(name, '@', 1) = %(plan)s);

-- name: policies
-- What checks answer while usage can't be read, where that was said.
SELECT metric, when_unavailable FROM enforcement_policies ORDER BY metric;

-- name: set_policy
-- Say what checks of a metric answer while usage can't be read. Servers forget what they knew of the metric.
WITH changed AS (INSERT INTO enforcement_changes (team_id, metric) VALUES (NULL, %(metric)s))
INSERT INTO enforcement_policies (metric, when_unavailable, updated_at)
VALUES (%(metric)s, %(when_unavailable)s, %(now)s)
ON CONFLICT (metric) DO UPDATE SET when_unavailable = excluded.when_unavailable, updated_at = excluded.updated_at;

-- name: holds
-- What reservations of some teams' metrics keep free.
SELECT r.team_id, r.metric, r.id, r.quantity, r.holds_until, r.event_ids
FROM unnest(%(teams)s::text[], %(metrics)s::text[]) AS k (team_id, metric)
JOIN usage_reservations r ON r.team_id = k.team_id AND r.metric = k.metric
    AND r.state IN ('held', 'committed') AND r.holds_until > %(now)s;

-- name: lock_reserving
-- One process at a time reserves of a team's metric. Locked in one order, so that two processes wait, not deadlock.
SELECT pg_advisory_xact_lock(7461022, hashed) FROM (
    SELECT DISTINCT hashtext(team_id || chr(10) || metric) AS hashed
    FROM unnest(%(teams)s::text[], %(metrics)s::text[]) AS k (team_id, metric) ORDER BY 1
) ordered;

-- name: reservations_by_reference
-- Reservations that were made before under the clients' own keys.
SELECT r.id, r.team_id, r.metric, r.quantity, r.state, r.reference, r.event_ids, r.actor, r.created_at, r.holds_until,
       r.ended_at
FROM unnest(%(teams)s::text[], %(references)s::text[]) AS k (team_id, reference)
JOIN usage_reservations r ON r.team_id = k.team_id AND r.reference = k.reference;

-- name: insert_reservations
-- Keep quantities free. Servers forget what was kept free before.
WITH made AS (
    INSERT INTO usage_reservations (id, team_id, metric, quantity, reference, event_ids, actor, created_at, holds_until)
    SELECT * FROM jsonb_to_recordset(%(made)s::jsonb) AS r (id uuid, team_id text, metric text, quantity numeric,
        reference text, event_ids uuid[], actor text, created_at timestamptz, holds_until timestamptz)
    RETURNING team_id, metric
)
INSERT INTO enforcement_changes (team_id, metric) SELECT DISTINCT team_id, metric FROM made;

-- name: find_reservation
-- One reservation.
SELECT id, team_id, metric, quantity, state, reference, event_ids, actor, created_at, holds_until, ended_at
FROM usage_reservations WHERE id = %(id)s;

-- name: lock_reservation
-- One reservation, locked until the transaction ends.
SELECT id, team_id, metric, quantity, state, reference, event_ids, actor, created_at, holds_until, ended_at
FROM usage_reservations WHERE id = %(id)s FOR UPDATE;

-- name: reservations
-- A page of reservations by age, oldest first; with waiting, those that keep something free.
SELECT id, team_id, metric, quantity, state, reference, event_ids, actor, created_at, holds_until, ended_at
FROM usage_reservations
WHERE (created_at, id) > (%(after_at)s, %(after_id)s)
  AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s) AND (%(metric)s::text IS NULL OR metric = %(metric)s)
  AND (NOT %(waiting)s OR (state IN ('held', 'committed') AND holds_until > %(now)s))
ORDER BY created_at, id LIMIT %(limit)s;

-- name: move_reservation
-- A reservation's state from now on. Servers forget what it kept free.
WITH changed AS (
    INSERT INTO enforcement_changes (team_id, metric) SELECT team_id, metric FROM usage_reservations WHERE id = %(id)s
)
UPDATE usage_reservations
SET state = %(state)s, event_ids = %(event_ids)s, holds_until = %(holds_until)s, ended_at = %(ended_at)s
WHERE id = %(id)s
RETURNING id, team_id, metric, quantity, state, reference, event_ids, actor, created_at, holds_until, ended_at;

-- name: expire_reservations
-- Write down which reservations have run out: they keep nothing free already.
UPDATE usage_reservations SET state = 'expired', ended_at = holds_until
WHERE id IN (
    SELECT id FROM usage_reservations WHERE state IN ('held', 'committed') AND holds_until <= %(now)s
    ORDER BY holds_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED);

-- name: waiting_for_events
-- Reservations whose usage is named and was not recorded when that was last looked at.
SELECT id, event_ids FROM usage_reservations WHERE state IN ('held', 'committed') AND event_ids <> '{}'
ORDER BY holds_until LIMIT %(limit)s;

-- name: settle_reservations
-- The usage of these is recorded: they keep nothing free already.
UPDATE usage_reservations SET state = 'settled', ended_at = %(now)s
WHERE id = ANY(%(ids)s) AND state IN ('held', 'committed', 'expired');

-- name: forget_reservations
-- Reservations that were over long ago.
DELETE FROM usage_reservations WHERE id IN (
    SELECT id FROM usage_reservations WHERE created_at < %(before)s AND state NOT IN ('held', 'committed')
    ORDER BY created_at LIMIT %(limit)s);
