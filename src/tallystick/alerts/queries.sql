-- name: insert_alert
-- Add an alert.
INSERT INTO usage_alerts (team_id, plan, metric, threshold_value, type, action, active, name, kind, currency, hysteresis,
                          weeks, created_at, updated_at)
VALUES (%(team_id)s, %(plan)s, %(metric)s, %(threshold)s, %(type)s, %(action)s::text::jsonb, %(active)s, %(name)s, %(kind)s,
        %(currency)s, %(hysteresis)s, %(weeks)s, %(created_at)s, %(updated_at)s)
RETURNING id;

-- name: update_alert
-- Another content of an alert.
UPDATE usage_alerts
SET team_id = %(team_id)s, plan = %(plan)s, metric = %(metric)s, threshold_value = %(threshold)s, type = %(type)s,
    action = %(action)s::text::jsonb, active = %(active)s, name = %(name)s, kind = %(kind)s, currency = %(currency)s,
    hysteresis = %(hysteresis)s, weeks = %(weeks)s, updated_at = %(updated_at)s
WHERE id = %(id)s;

-- name: delete_alert
-- An alert is no more; its history stays.
UPDATE usage_alerts SET deleted_at = %(now)s, updated_at = %(now)s WHERE id = %(id)s AND deleted_at IS NULL;

-- name: lock_alert
-- Nobody else changes the alert until the transaction ends.
SELECT id FROM usage_alerts WHERE id = %(id)s AND deleted_at IS NULL FOR UPDATE;

-- name: insert_step
-- Add a step.
INSERT INTO usage_alert_steps (alert_id, position, percent, value, type, action, created_at)
VALUES (%(alert_id)s, %(position)s, %(percent)s, %(value)s, %(type)s, %(action)s::text::jsonb, %(now)s);

-- name: keep_step
-- A step that compares with the same as before, at a place and with an action that may be new.
UPDATE usage_alert_steps
SET position = %(position)s, percent = %(percent)s, value = %(value)s, action = %(action)s::text::jsonb
WHERE id = %(id)s;

-- name: retire_steps
-- Steps of an alert that are no more.
UPDATE usage_alert_steps SET retired_at = %(now)s
WHERE alert_id = %(alert_id)s AND retired_at IS NULL AND id <> ALL(%(kept)s::bigint[]);

-- name: find_alerts
-- Alerts by id, deleted ones too.
SELECT {alert} FROM usage_alerts a WHERE a.id = ANY(%(ids)s) ORDER BY a.id;

-- name: list_alerts
-- A page of alerts by id. Of a team: its own, those of its plan, and those of all teams.
SELECT {alert} FROM usage_alerts a
WHERE a.deleted_at IS NULL AND a.id > %(after)s
  AND (%(team_id)s::text IS NULL OR a.team_id = %(team_id)s
       OR (a.team_id IS NULL AND (a.plan IS NULL OR a.plan = %(family)s)))
  AND (%(kind)s::text IS NULL OR a.kind = %(kind)s)
  AND (%(metric)s::text IS NULL OR a.metric = %(metric)s)
  AND (%(active)s::boolean IS NULL OR a.active = %(active)s)
ORDER BY a.id
LIMIT %(limit)s;

-- name: alerts_of_teams
-- The active alerts that may be about some of these teams: their own, those of these plans, and those of all teams.
SELECT {alert} FROM usage_alerts a WHERE a.team_id = ANY(%(team_ids)s) AND a.active AND a.deleted_at IS NULL
UNION ALL
SELECT {alert} FROM usage_alerts a WHERE a.plan = ANY(%(families)s) AND a.active AND a.deleted_at IS NULL
UNION ALL
SELECT {alert} FROM usage_alerts a WHERE a.team_id IS NULL AND a.plan IS NULL AND a.active AND a.deleted_at IS NULL;

-- name: watched_teams
-- Those of some teams that any alert may be about.
SELECT given.team_id FROM unnest(%(team_ids)s::text[]) AS given (team_id)
WHERE EXISTS (SELECT FROM usage_alerts a WHERE a.team_id = given.team_id AND a.active AND a.deleted_at IS NULL)
   OR EXISTS (SELECT FROM usage_alerts a WHERE a.plan IS NOT NULL AND a.active AND a.deleted_at IS NULL)
   OR EXISTS (SELECT FROM usage_alerts a WHERE a.team_id IS NULL AND a.plan IS NULL AND a.active AND a.deleted_at IS NULL);

-- name: steps
-- The steps of alerts, in order.
SELECT alert_id, percent, value, type, action, id FROM usage_alert_steps
WHERE alert_id = ANY(%(alert_ids)s) AND retired_at IS NULL
ORDER BY alert_id, position;

-- name: triggered
-- Alerts that were triggered just now.
UPDATE usage_alerts SET last_triggered_at = %(now)s WHERE id = ANY(%(ids)s);

-- name: family_of_team
-- The plan of a team at a moment, whatever its version.
SELECT p.family FROM subscriptions s JOIN plans p ON p.name = s.plan
WHERE s.team_id = %(team_id)s AND s.starts_at <= %(at)s AND s.ends_at > %(at)s;

-- name: families
-- The names of plans, without their versions.
SELECT DISTINCT family FROM plans ORDER BY family;

-- name: metric_units
-- Every metric's unit.
SELECT name, unit FROM metrics ORDER BY name;

-- name: touch_covered
-- Let the teams that an alert is about be looked at.
INSERT INTO rollup_touched (team_id, touched_at)
SELECT t.id, %(now)s FROM teams t
WHERE (%(team_id)s::text IS NULL OR t.id = %(team_id)s)
  AND (%(plan)s::text IS NULL OR EXISTS (
      SELECT FROM subscriptions s JOIN plans p ON p.name = s.plan
      WHERE s.team_id = t.id AND p.family = %(plan)s AND s.starts_at <= %(now)s AND s.ends_at > %(now)s));

-- name: try_lock_evaluation
-- Whether this transaction is the one that evaluates; no other does until it ends.
SELECT pg_try_advisory_xact_lock(7461013);

-- name: lock_evaluation
-- Nobody evaluates until the transaction ends.
SELECT pg_advisory_xact_lock(7461013);

-- name: touched
-- Teams that are to be looked at, oldest first.
SELECT id, team_id FROM rollup_touched ORDER BY id LIMIT %(limit)s;

-- name: forget_touched
-- These were looked at.
DELETE FROM rollup_touched WHERE id = ANY(%(ids)s);

-- name: due_checks
-- Alerts that have to look at a team although nothing was used, the longest due first.
SELECT c.team_id, c.alert_id, c.due_at, c.since FROM usage_alert_checks c
WHERE c.due_at <= %(now)s
ORDER BY c.due_at
LIMIT %(limit)s;

-- name: checks_of_teams
-- When alerts have to look at some teams.
SELECT team_id, alert_id, nullif(due_at, 'infinity'), since FROM usage_alert_checks WHERE team_id = ANY(%(team_ids)s);

-- name: save_checks
-- When alerts have to look at teams again; null: once they are used again.
INSERT INTO usage_alert_checks AS c (team_id, alert_id, due_at, since)
SELECT team_id, alert_id, coalesce(due_at, 'infinity'), since
FROM unnest(%(team_ids)s::text[], %(alert_ids)s::bigint[], %(due)s::timestamptz[], %(since)s::timestamptz[])
    AS given (team_id, alert_id, due_at, since)
ON CONFLICT (team_id, alert_id) DO UPDATE SET due_at = excluded.due_at, since = excluded.since
WHERE (c.due_at, c.since) IS DISTINCT FROM (excluded.due_at, excluded.since);

-- name: forget_checks
-- Nothing is to be looked at any more for an alert and a team.
DELETE FROM usage_alert_checks c USING unnest(%(team_ids)s::text[], %(alert_ids)s::bigint[]) AS given (team_id, alert_id)
WHERE c.team_id = given.team_id AND c.alert_id = given.alert_id;

-- name: forget_checks_of_alert
-- An alert looks at nothing any more.
DELETE FROM usage_alert_checks WHERE alert_id = %(alert_id)s;

-- name: stands
-- How the steps of alerts stand with teams: in periods that begin at an instant or later, and in silences that last.
SELECT {stand} FROM usage_alert_states s
WHERE s.team_id = ANY(%(team_ids)s) AND s.alert_id = ANY(%(alert_ids)s)
  AND (s.period_start >= %(since)s OR (s.period_end IS NULL AND s.state <> 'resolved'));

-- name: crossed
-- Where an alert's steps that are no more, or all of its steps, are crossed in periods that are not over.
SELECT {stand} FROM usage_alert_states s JOIN usage_alert_steps p ON p.id = s.step_id
WHERE s.alert_id = %(alert_id)s AND s.state <> 'resolved' AND coalesce(s.period_end, 'infinity') > %(now)s
  AND (%(all)s OR p.retired_at IS NOT NULL)
ORDER BY s.team_id, s.step_id;

-- name: save_stands
-- How steps stand now.
INSERT INTO usage_alert_states (step_id, team_id, period_start, period_end, alert_id, state, value, changed_at, crossings,
                                resolutions)
SELECT * FROM unnest(%(step_ids)s::bigint[], %(team_ids)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
                     %(alert_ids)s::bigint[], %(states)s::text[], %(numbers)s::numeric[], %(changed)s::timestamptz[],
                     %(crossings)s::integer[], %(resolutions)s::integer[])
ON CONFLICT (step_id, team_id, period_start) DO UPDATE
SET period_end = excluded.period_end, state = excluded.state, value = excluded.value, changed_at = excluded.changed_at,
    crossings = excluded.crossings, resolutions = excluded.resolutions;

-- name: insert_transitions
-- Changes of state, with the numbers that caused them.
INSERT INTO usage_alert_history (alert_id, step_id, team_id, period_start, period_end, from_state, to_state, cause, value,
                                 limit_value, unit, known_at, told, terms)
SELECT given.*
FROM ROWS FROM (
    unnest(%(alert_ids)s::bigint[], %(step_ids)s::bigint[], %(team_ids)s::text[], %(starts)s::timestamptz[],
           %(ends)s::timestamptz[], %(befores)s::text[], %(afters)s::text[], %(causes)s::text[], %(numbers)s::numeric[],
           %(limits)s::numeric[], %(units)s::text[], %(known)s::timestamptz[], %(told)s::boolean[]),
    jsonb_array_elements(%(terms)s::text::jsonb)
) AS given;

-- name: history
-- A page of changes of state, newest first.
SELECT {transition} FROM usage_alert_history h
WHERE h.id < %(before)s
  AND (%(alert_id)s::bigint IS NULL OR h.alert_id = %(alert_id)s)
  AND (%(team_id)s::text IS NULL OR h.team_id = %(team_id)s)
ORDER BY h.id DESC
LIMIT %(limit)s;

-- name: find_transition
-- One change of state.
SELECT {transition} FROM usage_alert_history h WHERE h.id = %(id)s;

-- name: hold_teams
-- Nobody closes a period of these teams until the transaction ends.
SELECT id FROM teams WHERE id = ANY(%(team_ids)s) ORDER BY id FOR SHARE;

-- name: closed_periods
-- Which periods of some teams are closed, by where they begin.
SELECT team_id, period_start FROM metered_billing_periods
WHERE team_id = ANY(%(team_ids)s) AND kind = 'period' AND status NOT IN ('active', 'closing', 'void');
