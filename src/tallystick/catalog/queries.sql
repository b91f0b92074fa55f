-- name: lock_catalogue
-- One apply at a time, and none while roll-ups are written; held until the transaction ends.
SELECT pg_advisory_xact_lock(7461001);

-- name: latest_revision
-- The file as it was applied last, and when.
SELECT source, applied_at FROM catalogue_revisions ORDER BY id DESC LIMIT 1;

-- name: insert_revision
-- Keep the file that is being applied.
INSERT INTO catalogue_revisions (source, billing, applied_at) VALUES (%(source)s, %(billing)s, %(now)s);

-- name: metrics
-- Every metric with what can't change about it.
SELECT name, aggregation, unit FROM metrics;

-- name: insert_metric
-- A new metric; its definition is in its versions.
INSERT INTO metrics (name, aggregation, unit, created_at) VALUES (%(name)s, %(aggregation)s, %(unit)s, %(now)s);

-- name: metric_versions
-- Every version of a metric that was not superseded.
SELECT id, definition, nullif(effective_from, '-infinity'), nullif(effective_to, 'infinity')
FROM metric_versions WHERE superseded_at IS NULL;

-- name: insert_metric_version
-- A version; without roll-ups, so that it is read from raw events until it is backfilled.
INSERT INTO metric_versions (metric, definition, effective_from, effective_to, recorded_at)
VALUES (%(metric)s, %(definition)s, coalesce(%(start)s, '-infinity'::timestamptz),
        coalesce(%(end)s, 'infinity'::timestamptz), %(now)s);

-- name: bound_metric_version
-- Move the end of a version; its roll-ups from the hour of the earlier of both ends on go.
WITH boundary AS (
    SELECT date_trunc('hour', least(effective_to, coalesce(%(end)s, 'infinity'::timestamptz)), 'UTC') AS hour
    FROM metric_versions WHERE id = %(id)s
), forgotten AS (
    DELETE FROM usage_aggregates
    WHERE metric_version_id = %(id)s AND period_start >= (SELECT hour FROM boundary)
), forgotten_values AS (
    DELETE FROM usage_aggregate_values
    WHERE metric_version_id = %(id)s AND period_start >= (SELECT hour FROM boundary)
)
UPDATE metric_versions
SET effective_to = coalesce(%(end)s, 'infinity'::timestamptz), rolled_until = least(rolled_until, boundary.hour)
FROM boundary WHERE id = %(id)s;

-- name: supersede_metric_version
-- A version that another takes the place of; its roll-ups are of no more use.
WITH forgotten AS (
    DELETE FROM usage_aggregates WHERE metric_version_id = %(id)s
), forgotten_values AS (
    DELETE FROM usage_aggregate_values WHERE metric_version_id = %(id)s
)
UPDATE metric_versions SET superseded_at = %(now)s, rolled_until = '-infinity' WHERE id = %(id)s;

-- name: plans
-- Every plan, whether a team was ever on it, and whether one is or will be.
SELECT p.name, p.currency, p.period_unit, p.period_every, p.archived_at IS NOT NULL,
       EXISTS (SELECT FROM subscriptions s WHERE s.plan = p.name),
       EXISTS (SELECT FROM subscriptions s WHERE s.plan = p.name AND s.ends_at > %(now)s)
FROM plans p;

-- name: save_plan
-- A new plan, or what has changed about one; an archived one comes back.
INSERT INTO plans (name, family, version, currency, period_unit, period_every, created_at)
VALUES (%(name)s, %(family)s, %(version)s, %(currency)s, %(unit)s, %(every)s, %(now)s)
ON CONFLICT (name) DO UPDATE
SET currency = excluded.currency, period_unit = excluded.period_unit, period_every = excluded.period_every,
    archived_at = NULL;

-- name: archive_plan
-- A plan that the file does not name any more.
UPDATE plans SET archived_at = %(now)s WHERE name = %(name)s;

-- name: plan_terms
-- The terms of every plan, each from when on, oldest first.
SELECT id, plan, nullif(effective_from, '-infinity'), terms
FROM plan_terms t WHERE superseded_at IS NULL ORDER BY plan, t.effective_from;

-- name: insert_plan_terms
-- Terms of a plan from an instant on.
INSERT INTO plan_terms (plan, terms, effective_from, recorded_at)
VALUES (%(owner)s, %(terms)s, coalesce(%(start)s, '-infinity'::timestamptz), %(now)s);

-- name: supersede_plan_terms
-- Terms that others take the place of.
UPDATE plan_terms SET superseded_at = %(now)s WHERE id = %(id)s;

-- name: team_terms
-- What was agreed with teams, each from when on, oldest first.
SELECT id, team_id, nullif(effective_from, '-infinity'), terms
FROM team_terms t WHERE superseded_at IS NULL AND team_id = ANY(%(ids)s) ORDER BY team_id, t.effective_from;

-- name: insert_team_terms
-- What is agreed with a team from an instant on.
INSERT INTO team_terms (team_id, terms, effective_from, recorded_at)
VALUES (%(owner)s, %(terms)s, coalesce(%(start)s, '-infinity'::timestamptz), %(now)s);

-- name: supersede_team_terms
-- Terms that others take the place of.
UPDATE team_terms SET superseded_at = %(now)s WHERE id = %(id)s;

-- name: prices
-- Every price that was not superseded.
SELECT id, plan, team_id, name, metric, model, currency, parameters::text, nullif(effective_from, '-infinity'),
       nullif(effective_to, 'infinity')
FROM prices WHERE superseded_at IS NULL;

-- name: prices_as_known
-- Prices of some plans and some teams that hold at some time of an interval, as they were known at a moment.
WITH known AS (
    SELECT id, name, plan, team_id, metric, model, currency, parameters, effective_from,
           coalesce((SELECT e.effective_to FROM price_ends e WHERE e.price_id = p.id AND e.replaced_at > %(known_at)s
                     ORDER BY e.replaced_at LIMIT 1), p.effective_to) AS effective_to
    FROM prices p
    WHERE (plan = ANY(%(plans)s) OR team_id = ANY(%(team_ids)s)) AND effective_from < %(end)s AND %(start)s < %(end)s
      AND recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s)
)
SELECT id, name, plan, team_id, metric, model, currency, parameters::text, nullif(effective_from, '-infinity'),
       nullif(effective_to, 'infinity')
FROM known WHERE effective_to > %(start)s
ORDER BY name, known.effective_from;

-- name: plan_terms_as_known
-- Plans with their terms, each from when on, as they were known at a moment, oldest first.
SELECT p.name, p.version, p.currency, p.period_unit, p.period_every, nullif(t.effective_from, '-infinity'), t.terms
FROM plans p JOIN plan_terms t ON t.plan = p.name
WHERE p.name = ANY(%(plans)s) AND t.recorded_at <= %(known_at)s
  AND (t.superseded_at IS NULL OR t.superseded_at > %(known_at)s)
ORDER BY p.name, t.effective_from;

-- name: team_terms_as_known
-- What was agreed with teams, each from when on, as it was known at a moment, oldest first.
SELECT team_id, nullif(effective_from, '-infinity'), terms
FROM team_terms t
WHERE team_id = ANY(%(team_ids)s) AND recorded_at <= %(known_at)s
  AND (superseded_at IS NULL OR superseded_at > %(known_at)s)
ORDER BY team_id, t.effective_from;

-- name: billing_rules
-- The rules of the file that was the last to be applied by a moment.
SELECT billing::text FROM catalogue_revisions WHERE applied_at <= %(known_at)s ORDER BY id DESC LIMIT 1;

-- name: insert_price
-- A price with its tiers.
WITH price AS (
    INSERT INTO prices (plan, team_id, name, metric, model, currency, parameters, effective_from, effective_to,
                        recorded_at)
    VALUES (%(plan)s, %(team_id)s, %(name)s, %(metric)s, %(model)s, %(currency)s, %(parameters)s,
            coalesce(%(start)s, '-infinity'::timestamptz), coalesce(%(end)s, 'infinity'::timestamptz), %(now)s)
    RETURNING *
)
INSERT INTO usage_pricing_tiers (price_id, position, metric, tier_start, tier_end, price_per_unit, flat_fee,
                                 currency, effective_from, effective_to)
SELECT price.id, tier.position - 1, price.metric, tier.tier_start, tier.tier_end, tier.unit_price, tier.flat_fee,
       price.currency, price.effective_from, price.effective_to
FROM price, unnest(%(starts)s::numeric[], %(ends)s::numeric[], %(unit_prices)s::numeric[], %(flat_fees)s::numeric[])
     WITH ORDINALITY AS tier (tier_start, tier_end, unit_price, flat_fee, position);

-- name: bound_price
-- Move the end of a price, and of its tiers; where it ended until now is kept.
WITH known AS (
    INSERT INTO price_ends (price_id, effective_to, replaced_at)
    SELECT id, effective_to, %(now)s FROM prices WHERE id = %(id)s
), price AS (
    UPDATE prices SET effective_to = coalesce(%(end)s, 'infinity'::timestamptz) WHERE id = %(id)s
    RETURNING id, effective_to
)
UPDATE usage_pricing_tiers tier SET effective_to = price.effective_to FROM price WHERE tier.price_id = price.id;

-- name: supersede_price
-- A price that another takes the place of.
UPDATE prices SET superseded_at = %(now)s WHERE id = %(id)s;

-- name: lock_teams
-- Teams whose subscriptions nobody else changes until the transaction ends, locked in the order of their ids.
SELECT id FROM teams WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- name: teams
-- Those of the teams that exist, and up to when their billing periods can't change any more.
SELECT id, name, time_zone, currency,
       (SELECT max(period_end) FROM metered_billing_periods b
        WHERE b.team_id = t.id AND b.status NOT IN ('active', 'void'))
FROM teams t WHERE id = ANY(%(ids)s);

-- name: insert_team
-- A new team, unless somebody else was faster.
INSERT INTO teams (id, name, time_zone, created_at) VALUES (%(id)s, %(name)s, %(time_zone)s, %(now)s)
ON CONFLICT (id) DO NOTHING;

-- name: update_team
-- Another name or time zone of a team.
UPDATE teams SET name = %(name)s, time_zone = %(time_zone)s WHERE id = %(id)s;

-- name: bill_team_in
-- The currency that a team is billed in.
UPDATE teams SET currency = %(currency)s WHERE id = %(id)s;

-- name: recorded_at
-- What becomes of subscriptions in this transaction is recorded at this instant.
SELECT set_config('tallystick.recorded_at', %(now)s::timestamptz::text, true);

-- name: subscriptions
-- All subscriptions of the teams.
SELECT id, team_id, plan, anchor, starts_at, nullif(ends_at, 'infinity')
FROM subscriptions WHERE team_id = ANY(%(ids)s) ORDER BY starts_at;

-- name: insert_subscription
-- A team on a plan from an instant on.
INSERT INTO subscriptions (team_id, plan, starts_at, ends_at, anchor, created_at)
VALUES (%(team_id)s, %(plan)s, %(start)s, coalesce(%(end)s, 'infinity'::timestamptz), %(anchor)s, %(now)s);

-- name: end_subscription
-- Another end of a subscription.
UPDATE subscriptions SET ends_at = coalesce(%(end)s, 'infinity'::timestamptz) WHERE id = %(id)s;

-- name: delete_subscription
-- A subscription that never began.
DELETE FROM subscriptions WHERE id = %(id)s;
