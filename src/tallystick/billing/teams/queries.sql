-- name: insert_team
-- Add a team, unless there is one of that id.
INSERT INTO teams (id, name, time_zone, metadata, created_at, currency)
VALUES (%(id)s, %(name)s, %(time_zone)s, %(metadata)s::jsonb, %(created_at)s, %(currency)s)
ON CONFLICT (id) DO NOTHING;

-- name: find_team
-- One team.
SELECT id, name, time_zone, metadata, created_at, currency FROM teams WHERE id = %(id)s;

-- name: lock_team
-- One team, whose subscriptions nobody else changes until the transaction ends.
SELECT id, name, time_zone, metadata, created_at, currency FROM teams WHERE id = %(id)s FOR NO KEY UPDATE;

-- name: list_teams
-- Teams in the order of their ids, after a position; all, or one alone.
SELECT id, name, time_zone, metadata, created_at, currency
FROM teams
WHERE id > %(after)s AND (%(only)s::text IS NULL OR id = %(only)s)
ORDER BY id
LIMIT %(limit)s;

-- name: update_team
-- Change what is given; null leaves what there is, and an empty currency makes it the plan's.
UPDATE teams
SET name = coalesce(%(name)s, name),
    time_zone = coalesce(%(time_zone)s, time_zone),
    metadata = coalesce(%(metadata)s::jsonb, metadata),
    currency = CASE WHEN %(currency)s::text IS NULL THEN currency ELSE nullif(%(currency)s, '') END
WHERE id = %(id)s
RETURNING id, name, time_zone, metadata, created_at, currency;

-- name: plans_on_offer
-- The plans that can be subscribed to, with their family and version.
SELECT name, family, version FROM plans WHERE archived_at IS NULL ORDER BY family, version;

-- name: record_at
-- Changes of subscriptions in this transaction are recorded with this instant.
SELECT set_config('tallystick.recorded_at', %(now)s::timestamptz::text, true);

-- name: insert_subscription
-- Subscribe a team. Without trial_days and trial_ends_at the trial is what follows from the subscription before and
-- the plan, as without anchored_at the anchor is (which for the store is -infinity).
INSERT INTO subscriptions (team_id, plan, starts_at, ends_at, anchor, anchored_at, trial_ends_at, created_at)
SELECT id, %(plan)s, %(starts_at)s, coalesce(%(ends_at)s, 'infinity'::timestamptz), %(anchor)s,
       coalesce(%(anchored_at)s, '-infinity'::timestamptz),
       CASE WHEN %(trial_ends_at)s::timestamptz IS NOT NULL THEN %(trial_ends_at)s
            WHEN %(trial_days)s::integer > 0 THEN local_days_after(%(starts_at)s, %(trial_days)s, time_zone)
            WHEN %(trial_days)s IS NULL THEN '-infinity' END,
       %(created_at)s
FROM teams WHERE id = %(team_id)s
RETURNING id;

-- name: subscriptions
-- Subscriptions of some teams, as known at a moment, that share an instant with [start, end): in order, after a position.
-- A pause is given up to where the team has no subscription any more.
WITH held AS NOT MATERIALIZED (
    SELECT id, team_id, plan, starts_at, ends_at, anchor, anchored_at, trial_ends_at, canceled_at, cancel_reason,
           created_at
    FROM subscriptions
    WHERE team_id = ANY(%(team_ids)s) AND recorded_at <= %(known_at)s
    UNION ALL
    SELECT id, team_id, plan, starts_at, ends_at, anchor, anchored_at, trial_ends_at, canceled_at, cancel_reason,
           created_at
    FROM subscription_history
    WHERE team_id = ANY(%(team_ids)s) AND recorded_at <= %(known_at)s AND replaced_at > %(known_at)s
)
SELECT s.id, s.team_id, s.plan, p.currency, p.period_unit, p.period_every, s.anchor, s.starts_at,
       nullif(s.ends_at, 'infinity'), s.created_at, s.anchored_at, s.trial_ends_at, s.canceled_at, s.cancel_reason,
       billed.until, paused.starts, paused.ends
FROM held s
JOIN plans p ON p.name = s.plan
LEFT JOIN LATERAL (
    SELECT b.period_end AS until FROM metered_billing_periods b
    WHERE b.team_id = s.team_id AND b.subscription_id = s.id AND b.kind = 'period'
      AND b.status NOT IN ('active', 'closing', 'void') AND b.closed_at <= %(known_at)s
    ORDER BY b.period_start DESC LIMIT 1
) billed ON true
LEFT JOIN LATERAL (
    SELECT array_agg(pause.starts_at ORDER BY pause.starts_at) AS starts,
           array_agg(nullif(pause.ends_at, 'infinity') ORDER BY pause.starts_at) AS ends
    FROM (
        SELECT q.starts_at, least(q.ends_at, (
            SELECT min(h.ends_at) FROM held h
            WHERE h.team_id = q.team_id AND h.ends_at > q.starts_at
              AND NOT EXISTS (SELECT FROM held n WHERE n.team_id = h.team_id AND n.starts_at = h.ends_at)
        )) AS ends_at
        FROM subscription_pauses q
        WHERE q.team_id = s.team_id AND q.starts_at < s.ends_at AND q.ends_at > s.starts_at
          AND q.recorded_at <= %(known_at)s AND (q.superseded_at IS NULL OR q.superseded_at > %(known_at)s)
    ) pause
    WHERE pause.ends_at > s.starts_at
) paused ON true
WHERE s.starts_at < %(end)s AND s.ends_at > %(start)s
  AND (%(ids)s::bigint[] IS NULL OR s.id = ANY(%(ids)s))
  AND (s.starts_at, s.id) > (%(after_start)s, %(after_id)s)
ORDER BY s.starts_at, s.id
LIMIT %(limit)s;

-- name: subscriptions_to_bill
-- Subscriptions that may have a billing period which is over by an instant and not closed, by team and time, after a
-- position; with the end of the last closed one, and the starts of void ones before that. A period is not shorter than
-- its cadence, but for a change of clocks or of the team's time zone.
SELECT s.id, s.team_id, t.time_zone, p.period_unit, p.period_every, s.anchor, s.anchored_at, s.starts_at,
       nullif(s.ends_at, 'infinity'), billed.until, void.starts
FROM subscriptions s
JOIN plans p ON p.name = s.plan
JOIN teams t ON t.id = s.team_id
LEFT JOIN LATERAL (
    SELECT b.period_end AS until FROM metered_billing_periods b
    WHERE b.team_id = s.team_id AND b.subscription_id = s.id AND b.kind = 'period'
      AND b.status NOT IN ('active', 'closing', 'void')
    ORDER BY b.period_start DESC LIMIT 1
) billed ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT v.period_start ORDER BY v.period_start) AS starts FROM metered_billing_periods v
    WHERE v.subscription_id = s.id AND v.status = 'void' AND v.kind = 'period' AND v.period_end <= billed.until
      AND NOT EXISTS (
          SELECT FROM metered_billing_periods b
          WHERE b.subscription_id = s.id AND b.period_start = v.period_start AND b.kind = 'period'
            AND b.status NOT IN ('active', 'closing', 'void'))
) void ON true
WHERE (s.team_id, s.starts_at) > (%(after_team)s, %(after_start)s)
  AND (%(team_id)s::text IS NULL OR s.team_id = %(team_id)s)
  AND s.starts_at < %(until)s
  AND (billed.until IS NULL OR void.starts IS NOT NULL
       OR (billed.until < s.ends_at AND least(s.ends_at, billed.until + make_interval(
        days => p.period_every * CASE p.period_unit WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'month' THEN 28
                                                    WHEN 'quarter' THEN 90 ELSE 365 END - 2)) <= %(until)s))
ORDER BY s.team_id, s.starts_at
LIMIT %(limit)s;

-- name: teams_by_id
-- Some teams.
SELECT id, name, time_zone, metadata, created_at, currency FROM teams WHERE id = ANY(%(ids)s);

-- name: end_subscription
-- Another end of a subscription, and whether somebody canceled it.
UPDATE subscriptions
SET ends_at = coalesce(%(at)s, 'infinity'::timestamptz), canceled_at = %(canceled_at)s, cancel_reason = %(reason)s
WHERE id = %(id)s;

-- name: withdraw_subscription
-- Take back a subscription that has not begun, with the drafts of its statements.
WITH drafts AS (
    DELETE FROM metered_billing_periods WHERE subscription_id = %(id)s AND status = 'active'
)
DELETE FROM subscriptions WHERE id = %(id)s;

-- name: resume_subscription
-- The subscription that would have ended at this instant ends when it would have before that was said, at the latest
-- where the next one begins.
UPDATE subscriptions s
SET ends_at = least(
        coalesce((SELECT h.ends_at FROM subscription_history h
                  WHERE h.id = s.id AND h.team_id = s.team_id AND h.ends_at > %(at)s
                  ORDER BY h.replaced_at DESC LIMIT 1), 'infinity'),
        (SELECT min(n.starts_at) FROM subscriptions n WHERE n.team_id = %(team_id)s AND n.starts_at >= %(at)s)),
    canceled_at = (SELECT h.canceled_at FROM subscription_history h
                   WHERE h.id = s.id AND h.team_id = s.team_id AND h.ends_at > %(at)s
                   ORDER BY h.replaced_at DESC LIMIT 1),
    cancel_reason = (SELECT h.cancel_reason FROM subscription_history h
                     WHERE h.id = s.id AND h.team_id = s.team_id AND h.ends_at > %(at)s
                     ORDER BY h.replaced_at DESC LIMIT 1)
WHERE s.team_id = %(team_id)s AND s.ends_at = %(at)s;

-- name: replace_plan
-- Another plan for the whole of a subscription.
UPDATE subscriptions SET plan = %(plan)s WHERE id = %(id)s;

-- name: end_trial
-- Another end of a subscription's trial; null: it has none.
UPDATE subscriptions SET trial_ends_at = %(at)s WHERE id = %(id)s;

-- name: settled_until
-- The end of the team's last billing period that can't change any more.
SELECT max(period_end) FROM metered_billing_periods
WHERE team_id = %(team_id)s AND status NOT IN ('active', 'void');

-- name: pauses_after
-- A team's pauses that reach past an instant, in order.
SELECT id, starts_at, nullif(ends_at, 'infinity') FROM subscription_pauses
WHERE team_id = %(team_id)s AND superseded_at IS NULL AND ends_at > %(at)s
ORDER BY starts_at;

-- name: insert_pause
-- Pause a team.
INSERT INTO subscription_pauses (team_id, starts_at, ends_at, recorded_at)
VALUES (%(team_id)s, %(starts_at)s, coalesce(%(ends_at)s, 'infinity'::timestamptz), %(now)s);

-- name: supersede_pause
-- A pause that is not to be, or not as it was said.
UPDATE subscription_pauses SET superseded_at = greatest(%(now)s, recorded_at) WHERE id = %(id)s;

-- name: end_stale_pauses
-- Pauses that were never resumed although their subscription has ended end with it. What is inserted has to wait for what
-- is superseded, which joining the two brings about.
WITH stale AS (
    SELECT q.id, q.team_id, q.starts_at, gap.at FROM subscription_pauses q, LATERAL (
        SELECT min(s.ends_at) AS at FROM subscriptions s
        WHERE s.team_id = q.team_id AND s.ends_at > q.starts_at
          AND NOT EXISTS (SELECT FROM subscriptions n WHERE n.team_id = s.team_id AND n.starts_at = s.ends_at)
    ) gap
    WHERE q.team_id = %(team_id)s AND q.superseded_at IS NULL AND gap.at < q.ends_at AND gap.at <= %(now)s
), superseded AS (
    UPDATE subscription_pauses q SET superseded_at = greatest(%(now)s, q.recorded_at) FROM stale WHERE q.id = stale.id
    RETURNING stale.*
)
INSERT INTO subscription_pauses (team_id, starts_at, ends_at, recorded_at)
SELECT team_id, starts_at, at, %(now)s FROM superseded;
