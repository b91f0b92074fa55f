-- Which teams' usage a roll-up has touched, for whoever has to look at it then (alerts): written in the roll-up's own
-- transaction, so that it outlives a process that is killed right after. A queue, not a set: the roll-up only ever
-- appends, and so neither waits for whoever is taking rows out nor fails because one was just taken. A team may be
-- in it several times; take rows with DELETE … WHERE id IN (SELECT id … FOR UPDATE SKIP LOCKED) RETURNING team_id,
-- and read usage in a snapshot that is not older than that.
CREATE TABLE rollup_touched (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id     text NOT NULL,
    touched_at  timestamptz NOT NULL
);

-- The number within numeric(38,18), without trailing zeros; NULL when it does not fit.
CREATE FUNCTION usage_fitting(number numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN abs(number) < 1e20 AND scale(trim_scale(number)) <= 18 THEN trim_scale(number) END;

-- As before, the exact number that a JSON number or a decimal string spells; NULL when it is none, or does not fit.
-- One expression now, which PostgreSQL writes into the statement in the function's place: a tenth of the time.
CREATE OR REPLACE FUNCTION usage_number(value jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE jsonb_typeof(value)
    WHEN 'number' THEN usage_fitting(value::numeric)
    WHEN 'string' THEN CASE
        WHEN (value #>> '{}') ~ '^[+-]?([0-9]{1,60}\.?[0-9]{0,60}|\.[0-9]{1,60})([eE][+-]?[0-9]{1,3})?$'
        THEN usage_fitting((value #>> '{}')::numeric)
    END
END;

-- The number unless it is negative. No value has more than 18 decimals, so that what is below zero is at most the
-- least of them; written this way the number is computed once.
CREATE FUNCTION usage_unsigned(number numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN nullif(greatest(number, -1e-18), -1e-18);

-- A roll-up updates the buckets that it knows: with room in their page, their index entries stay as they are.
-- Metric versions are never deleted; to look each one up for every bucket cost as much as the bucket itself.
ALTER TABLE usage_aggregates SET (fillfactor = 80);
ALTER TABLE usage_aggregates DROP CONSTRAINT usage_aggregates_metric_version_id_fkey;
ALTER TABLE usage_aggregate_values SET (fillfactor = 90);
ALTER TABLE usage_aggregate_values DROP CONSTRAINT usage_aggregate_values_metric_version_id_fkey;
