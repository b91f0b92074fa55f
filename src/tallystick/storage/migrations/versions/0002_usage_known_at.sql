-- What usage was known when: instants that are sealed, and hours whose usage changed after they had passed.

-- Everything recorded at or before sealed_until can be read, and nothing is recorded there any more. Whoever
-- records usage holds the advisory lock 7461003 shared until it commits; sealing takes it alone for a moment.
CREATE TABLE usage_seal (
    single        boolean PRIMARY KEY DEFAULT true CHECK (single),
    sealed_until  timestamptz NOT NULL
);
INSERT INTO usage_seal (sealed_until) VALUES ('-infinity');

-- Hours in which events of a name changed after the hour had passed: some were recorded late, or corrected.
-- changed_at is when the last of these was recorded, so hours without a row after an instant are as they were
-- known then. Written by the roll-up together with the hours it changes.
CREATE TABLE changed_hours (
    team_id     text NOT NULL,
    hour        timestamptz NOT NULL,
    event_name  text NOT NULL,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (team_id, hour, event_name)
);
CREATE INDEX changed_hours_since ON changed_hours (team_id, changed_at);

-- The last level of a series before an instant is found at once, however long its history is.
CREATE INDEX usage_aggregates_levels ON usage_aggregates (metric_version_id, team_id, dimensions, period_start)
    WHERE first_at IS NOT NULL;

-- Which events the correction was about. Hours that were marked before this column was there are in
-- changed_hours already, by the statement below.
ALTER TABLE dirty_hours ADD COLUMN event_name text;

INSERT INTO changed_hours (team_id, hour, event_name, changed_at)
SELECT team_id, date_trunc('hour', occurred_at, 'UTC'), event_name, max(changed_at)
FROM (
    SELECT team_id, occurred_at, event_name, recorded_at AS changed_at
    FROM usage_events
    WHERE recorded_at >= date_trunc('hour', occurred_at, 'UTC') + interval '1 hour'
    UNION ALL
    SELECT e.team_id, e.occurred_at, e.event_name, c.recorded_at
    FROM event_corrections c
    JOIN event_identities i ON i.id = c.event_id
    JOIN usage_events e ON e.occurred_at = i.occurred_at AND e.batch_id = i.batch_id AND e.id = i.id
) changes
GROUP BY 1, 2, 3;

-- Ends of metric versions that were moved: until replaced_at the version was known to end at effective_to. Of
-- several, the one replaced first after a moment is what was known at that moment.
CREATE TABLE metric_version_ends (
    metric_version_id  integer NOT NULL REFERENCES metric_versions (id),
    effective_to       timestamptz NOT NULL,
    replaced_at        timestamptz NOT NULL
);
CREATE INDEX metric_version_ends_version ON metric_version_ends (metric_version_id, replaced_at);

-- Runs at the end of the transaction that applies a catalogue, which has written its revision by then.
CREATE FUNCTION keep_metric_version_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO metric_version_ends (metric_version_id, effective_to, replaced_at)
    SELECT OLD.id, OLD.effective_to, coalesce(max(applied_at), now()) FROM catalogue_revisions;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER keep_metric_version_end AFTER UPDATE OF effective_to ON metric_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.effective_to <> NEW.effective_to) EXECUTE FUNCTION keep_metric_version_end();
