-- name: insert_team
-- Add a team, unless there is one of that id.
INSERT INTO teams (id, name, time_zone, metadata, created_at)
VALUES (%(id)s, %(name)s, %(time_zone)s, %(metadata)s::jsonb, %(created_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: find_team
-- One team.
SELECT id, name, time_zone, metadata, created_at FROM teams WHERE id = %(id)s;

-- name: lock_team
-- One team, whose subscriptions nobody else changes until the transaction ends.
SELECT id, name, time_zone, metadata, created_at FROM teams WHERE id = %(id)s FOR NO KEY UPDATE;

-- name: list_teams
-- Teams in the order of their ids, after a position; all, or one alone.
SELECT id, name, time_zone, metadata, created_at
FROM teams
WHERE id > %(after)s AND (%(only)s::text IS NULL OR id = %(only)s)
ORDER BY id
LIMIT %(limit)s;

-- name: update_team
-- Change what is given; null leaves what there is.
UPDATE teams
SET name = coalesce(%(name)s, name),
    time_zone = coalesce(%(time_zone)s, time_zone),
    metadata = coalesce(%(metadata)s::jsonb, metadata)
WHERE id = %(id)s
RETURNING id, name, time_zone, metadata, created_at;

-- name: plan_names
-- The plans that can be subscribed to.
SELECT name FROM plans WHERE archived_at IS NULL ORDER BY name;

-- name: insert_subscription
-- Subscribe a team.
INSERT INTO subscriptions (team_id, plan, starts_at, ends_at, anchor, created_at)
VALUES (%(team_id)s, %(plan)s, %(starts_at)s, coalesce(%(ends_at)s, 'infinity'::timestamptz), %(anchor)s, %(created_at)s)
RETURNING id;

-- name: subscriptions
-- A team's subscriptions that share an instant with [start, end), oldest first, after a position.
SELECT s.id, s.team_id, s.plan, p.currency, p.period_unit, p.period_every, s.anchor,
       s.starts_at, nullif(s.ends_at, 'infinity'), s.created_at
FROM subscriptions s JOIN plans p ON p.name = s.plan
WHERE s.team_id = %(team_id)s AND s.starts_at < %(end)s AND s.ends_at > %(start)s
  AND (s.starts_at, s.id) > (%(after_start)s, %(after_id)s)
ORDER BY s.starts_at, s.id
LIMIT %(limit)s;

-- name: find_subscription
-- One subscription of a team.
SELECT s.id, s.team_id, s.plan, p.currency, p.period_unit, p.period_every, s.anchor,
       s.starts_at, nullif(s.ends_at, 'infinity'), s.created_at
FROM subscriptions s JOIN plans p ON p.name = s.plan
WHERE s.team_id = %(team_id)s AND s.id = %(id)s;

-- name: end_subscription
-- End a subscription.
UPDATE subscriptions SET ends_at = %(at)s WHERE id = %(id)s;

-- name: withdraw_subscription
-- Take back a subscription that has not begun.
DELETE FROM subscriptions WHERE id = %(id)s;

-- name: resume_subscription
-- The subscription that would have ended at this instant goes on, up to the next one if there is one.
UPDATE subscriptions
SET ends_at = coalesce(
    (SELECT min(n.starts_at) FROM subscriptions n WHERE n.team_id = %(team_id)s AND n.starts_at >= %(at)s), 'infinity')
WHERE team_id = %(team_id)s AND ends_at = %(at)s;

-- name: settled_until
-- The end of the team's last billing period that can't change any more.
SELECT max(period_end) FROM metered_billing_periods
WHERE team_id = %(team_id)s AND status NOT IN ('active', 'void');
