-- The first schema. Two clocks run through it: occurred_at / effective_from say when something holds,
-- recorded_at says when we learned it. Raw usage is never updated: a correction is a row of its own.

------------------------------------------------------------------------------------------------------
-- Who is billed
------------------------------------------------------------------------------------------------------

CREATE TABLE teams (
    id          text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255),
    name        text NOT NULL,
    time_zone   text NOT NULL DEFAULT 'UTC',
    metadata    jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       text[] NOT NULL CHECK (scopes <@ ARRAY['ingest', 'read', 'admin'] AND scopes <> '{}'),
    team_id      text REFERENCES teams (id),
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

------------------------------------------------------------------------------------------------------
-- What is counted and what it costs (the catalogue)
------------------------------------------------------------------------------------------------------

CREATE TABLE catalogue_revisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    applied_at  timestamptz NOT NULL
);

CREATE TABLE metrics (
    name         text PRIMARY KEY,
    aggregation  text NOT NULL,
    unit         text NOT NULL,
    created_at   timestamptz NOT NULL
);

-- A version counts the events that occurred in [effective_from, effective_to).
-- Its roll-ups are complete for the hours before rolled_until; later hours are read from raw events.
CREATE TABLE metric_versions (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric          text NOT NULL REFERENCES metrics (name),
    definition      jsonb NOT NULL,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL DEFAULT 'infinity',
    rolled_until    timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at     timestamptz NOT NULL,
    superseded_at   timestamptz,
    CHECK (effective_from < effective_to)
);
CREATE UNIQUE INDEX metric_versions_in_force ON metric_versions (metric, effective_from) WHERE superseded_at IS NULL;

CREATE TABLE plans (
    name          text PRIMARY KEY,
    currency      text NOT NULL,
    period_unit   text NOT NULL CHECK (period_unit IN ('day', 'week', 'month', 'quarter', 'year')),
    period_every  integer NOT NULL CHECK (period_every > 0),
    created_at    timestamptz NOT NULL,
    archived_at   timestamptz
);

CREATE TABLE prices (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan            text NOT NULL REFERENCES plans (name),
    metric          text NOT NULL REFERENCES metrics (name),
    model           text NOT NULL,
    currency        text NOT NULL,
    parameters      jsonb NOT NULL,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at     timestamptz NOT NULL,
    superseded_at   timestamptz,
    CHECK (effective_from < effective_to)
);
CREATE UNIQUE INDEX prices_in_force ON prices (plan, metric, effective_from) WHERE superseded_at IS NULL;

-- A tier prices the usage in (tier_start, tier_end]; the last one has no end.
CREATE TABLE usage_pricing_tiers (
    price_id        bigint NOT NULL REFERENCES prices (id),
    position        integer NOT NULL,
    metric          text NOT NULL,
    tier_start      numeric NOT NULL,
    tier_end        numeric CHECK (tier_end > tier_start),
    price_per_unit  numeric NOT NULL,
    flat_fee        numeric NOT NULL DEFAULT 0,
    currency        text NOT NULL,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (price_id, position)
);

CREATE TABLE subscriptions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id     text NOT NULL REFERENCES teams (id),
    plan        text NOT NULL REFERENCES plans (name),
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL DEFAULT 'infinity',
    anchor      text NOT NULL DEFAULT 'calendar' CHECK (anchor IN ('calendar', 'anniversary')),
    created_at  timestamptz NOT NULL,
    CHECK (starts_at < ends_at)
);
CREATE INDEX subscriptions_team ON subscriptions (team_id, starts_at);

CREATE TABLE metered_billing_periods (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id            text NOT NULL REFERENCES teams (id),
    subscription_id    bigint NOT NULL REFERENCES subscriptions (id),
    period_start       timestamptz NOT NULL,
    period_end         timestamptz NOT NULL,
    usage_snapshot     jsonb NOT NULL DEFAULT '[]',
    total              numeric NOT NULL DEFAULT 0,
    currency           text NOT NULL,
    status             text NOT NULL DEFAULT 'active'
                       CHECK (status IN ('active', 'closing', 'closed', 'invoiced', 'paid', 'void')),
    stripe_invoice_id  text,
    computed_at        timestamptz NOT NULL,
    UNIQUE (subscription_id, period_start),
    CHECK (period_start < period_end)
);

CREATE TABLE usage_alerts (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id            text NOT NULL REFERENCES teams (id),
    metric             text NOT NULL REFERENCES metrics (name),
    threshold_value    numeric NOT NULL,
    type               text NOT NULL CHECK (type IN ('soft', 'hard')),
    action             jsonb NOT NULL DEFAULT '{}',
    active             boolean NOT NULL DEFAULT true,
    last_triggered_at  timestamptz
);

------------------------------------------------------------------------------------------------------
-- Usage: batches, identities, events, corrections
------------------------------------------------------------------------------------------------------

-- One row per ingest transaction. A roll-up takes whole batches it can see, which are committed by that,
-- and sets rolled_up_at in its own transaction; a reader adds the batches that are not rolled up yet.
-- xid lets a statement name a moment before which nothing is still in flight.
CREATE TABLE ingest_batches (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid           xid8 NOT NULL DEFAULT pg_current_xact_id(),
    events        integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    rolled_up_at  timestamptz
);
CREATE INDEX ingest_batches_tail ON ingest_batches (id) WHERE rolled_up_at IS NULL;
CREATE INDEX ingest_batches_recorded ON ingest_batches (recorded_at);

-- Exactly once for ever: the hash of (team, idempotency key) is claimed here in the transaction that
-- inserts the event. A unique constraint on usage_events could not do it, because it would have to hold
-- the partition key, the time, and let a resend with another timestamp through.
CREATE TABLE event_identities (
    id           uuid NOT NULL,
    content      bigint NOT NULL,
    batch_id     bigint NOT NULL,
    occurred_at  timestamptz NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY HASH (id);

DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format('CREATE TABLE event_identities_%s PARTITION OF event_identities '
                       'FOR VALUES WITH (MODULUS 16, REMAINDER %s)', lpad(part::text, 2, '0'), part);
    END LOOP;
END
$$;

-- The facts, in UTC months (usage_events_2026_03 …), created ahead and as events need them.
CREATE TABLE usage_events (
    id               uuid NOT NULL,
    batch_id         bigint NOT NULL,
    position         integer NOT NULL,
    team_id          text NOT NULL,
    user_id          text,
    event_type       text,
    event_name       text NOT NULL,
    quantity         numeric(38, 18) NOT NULL,
    unit             text,
    metadata         jsonb,
    idempotency_key  text NOT NULL,
    occurred_at      timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL,
    amends           uuid
) PARTITION BY RANGE (occurred_at);
CREATE INDEX usage_events_team ON usage_events (team_id, occurred_at, id);
CREATE INDEX usage_events_batch ON usage_events (batch_id);

-- An event is voided at most once, from recorded_at on. An amendment voids it and names the event that
-- stands in its place.
CREATE TABLE event_corrections (
    event_id        uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('void', 'amend')),
    replacement_id  uuid,
    reason          text NOT NULL,
    actor           text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    CHECK ((kind = 'amend') = (replacement_id IS NOT NULL))
);

-- A rejected event and why; from here it can be repaired and sent again. A resend of the same is counted.
CREATE TABLE dead_letters (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest           bytea NOT NULL UNIQUE,
    team_id          text,
    idempotency_key  text,
    body             bytea NOT NULL,
    code             text NOT NULL,
    field            text,
    message          text NOT NULL,
    received_at      timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    seen             bigint NOT NULL DEFAULT 1,
    replayed_at      timestamptz,
    replayed_as      uuid
);
CREATE INDEX dead_letters_open ON dead_letters (id) WHERE replayed_at IS NULL;
CREATE INDEX dead_letters_team ON dead_letters (team_id, id);

------------------------------------------------------------------------------------------------------
-- Roll-ups
------------------------------------------------------------------------------------------------------

-- Mergeable partials of one metric version, team, bucket and dimension values. The bucket is a UTC hour,
-- or the slot of a percentile metric. dimensions holds the values in the order of the metric's definition.
CREATE TABLE usage_aggregates (
    metric_version_id  integer NOT NULL REFERENCES metric_versions (id),
    team_id            text NOT NULL,
    period_start       timestamptz NOT NULL,
    period_end         timestamptz NOT NULL,
    dimensions         text[] NOT NULL,
    events             bigint NOT NULL,
    unvalued           bigint NOT NULL,
    total              numeric,
    minimum            numeric,
    maximum            numeric,
    moment             numeric,
    area               numeric,
    first_at           timestamptz,
    latest             numeric,
    latest_at          timestamptz,
    latest_batch       bigint,
    latest_position    integer,
    unit               text NOT NULL,
    PRIMARY KEY (metric_version_id, team_id, period_start, dimensions)
);

-- The distinct values of a bucket and how often each occurred, for exact distinct counts and percentiles.
CREATE TABLE usage_aggregate_values (
    metric_version_id  integer NOT NULL REFERENCES metric_versions (id),
    team_id            text NOT NULL,
    period_start       timestamptz NOT NULL,
    dimensions         text[] NOT NULL,
    value              text NOT NULL,
    occurrences        bigint NOT NULL,
    PRIMARY KEY (metric_version_id, team_id, period_start, dimensions, value)
);

-- Hours whose roll-ups a correction made wrong: read from raw events until they are recomputed.
CREATE TABLE dirty_hours (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id      text NOT NULL,
    hour         timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX dirty_hours_team ON dirty_hours (team_id, hour);

------------------------------------------------------------------------------------------------------
-- How a metadata value is read
------------------------------------------------------------------------------------------------------

-- The exact number that a JSON number or a decimal string spells; NULL when it is none, or does not fit
-- numeric(38,18): an event whose value can't be read is kept and counted as unvalued.
CREATE FUNCTION usage_number(value jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
    SELECT CASE WHEN abs(number) < 1e20 AND scale(number) <= 18 THEN number END
    FROM (SELECT trim_scale(CASE
        WHEN jsonb_typeof(value) = 'number' THEN (value #>> '{}')::numeric
        WHEN (value #>> '{}') ~ '^[+-]?([0-9]{1,60}\.?[0-9]{0,60}|\.[0-9]{1,60})([eE][+-]?[0-9]{1,3})?$' AND jsonb_typeof(value) = 'string'
            THEN (value #>> '{}')::numeric
    END) AS number) spelled
);

-- A value short enough to be part of an index key; a longer one is told apart by its MD5.
CREATE FUNCTION usage_label(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN octet_length(value) <= 160 THEN value ELSE left(value, 24) || '…md5:' || md5(value) END;
