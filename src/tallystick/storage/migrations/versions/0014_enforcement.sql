-- Limits on usage, reservations under them, throttles, and how a server notices that any of these changed.

------------------------------------------------------------------------------------------------------
-- What was recorded since a moment
------------------------------------------------------------------------------------------------------

-- A reader that remembers a usage and the snapshot that it was read in (pg_current_snapshot()) finds what to add by
-- the transactions that the snapshot did not see. They are all at or after its xmin.
CREATE INDEX ingest_batches_xid ON ingest_batches (xid);
ALTER TABLE event_corrections ADD COLUMN xid xid8;
ALTER TABLE event_corrections ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
CREATE INDEX event_corrections_xid ON event_corrections (xid);

-- What a server remembers of limits is out of date: of a team, of a metric, of a team's metric, or (both null)
-- altogether. Rows are of use for as long as servers remember; a loop deletes older ones.
CREATE TABLE enforcement_changes (
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    team_id     text,
    metric      text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX enforcement_changes_xid ON enforcement_changes (xid);
CREATE INDEX enforcement_changes_age ON enforcement_changes (changed_at);

-- A team's plan and zone decide its limits and its period.
CREATE FUNCTION note_enforcement_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO enforcement_changes (team_id)
    VALUES (to_jsonb(coalesce(new, old)) ->> CASE TG_TABLE_NAME WHEN 'teams' THEN 'id' ELSE 'team_id' END);
    RETURN NULL;
END
$$;
CREATE TRIGGER teams_note_enforcement_change AFTER UPDATE OF time_zone ON teams
    FOR EACH ROW EXECUTE FUNCTION note_enforcement_change();
CREATE TRIGGER subscriptions_note_enforcement_change AFTER INSERT OR UPDATE OR DELETE ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION note_enforcement_change();

------------------------------------------------------------------------------------------------------
-- Limits
------------------------------------------------------------------------------------------------------

-- Of a team, or of every team on a plan; the team's own one wins. quantity null: none, in spite of the plan's.
CREATE TABLE usage_limits (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id     text REFERENCES teams (id),
    plan        text,
    metric      text NOT NULL REFERENCES metrics (name),
    type        text NOT NULL CHECK (type IN ('soft', 'hard')),
    quantity    numeric CHECK (quantity >= 0),
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((team_id IS NULL) <> (plan IS NULL)),
    UNIQUE NULLS NOT DISTINCT (metric, type, team_id, plan)
);
CREATE INDEX usage_limits_team ON usage_limits (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX usage_limits_plan ON usage_limits (plan) WHERE plan IS NOT NULL;

-- What checks of a metric answer while usage can't be read; without a row: open.
CREATE TABLE enforcement_policies (
    metric            text PRIMARY KEY REFERENCES metrics (name),
    when_unavailable  text NOT NULL CHECK (when_unavailable IN ('open', 'closed')),
    updated_at        timestamptz NOT NULL
);

-- A quantity that is kept free. It stops counting when the events that carry it are recorded, at holds_until, or
-- when it is released. held, committed (its events are named), and, over for good: settled, released, expired.
CREATE TABLE usage_reservations (
    id           uuid PRIMARY KEY,
    team_id      text NOT NULL REFERENCES teams (id),
    metric       text NOT NULL REFERENCES metrics (name),
    quantity     numeric NOT NULL CHECK (quantity > 0),
    state        text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'committed', 'settled', 'released', 'expired')),
    reference    text,
    event_ids    uuid[] NOT NULL DEFAULT '{}',
    actor        text NOT NULL,
    created_at   timestamptz NOT NULL,
    holds_until  timestamptz NOT NULL,
    ended_at     timestamptz,
    UNIQUE (team_id, reference)
);
CREATE INDEX usage_reservations_holding ON usage_reservations (team_id, metric, id) WHERE state IN ('held', 'committed');
CREATE INDEX usage_reservations_due ON usage_reservations (holds_until) WHERE state IN ('held', 'committed');
CREATE INDEX usage_reservations_age ON usage_reservations (created_at);

------------------------------------------------------------------------------------------------------
-- Throttles
------------------------------------------------------------------------------------------------------

-- A team is throttled for a metric, or for all of them (metric ''), while there is a cause that has not ended.
CREATE TABLE usage_throttles (
    team_id     text NOT NULL REFERENCES teams (id),
    metric      text NOT NULL,
    cause       text NOT NULL CHECK (length(cause) BETWEEN 1 AND 1000),
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (team_id, metric, cause)
);
CREATE INDEX usage_throttles_until ON usage_throttles (until) WHERE until < 'infinity';

-- Every change that a gateway should hear of; each is a notification as well.
CREATE TABLE throttle_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id     text NOT NULL,
    metric      text NOT NULL,
    state       text NOT NULL CHECK (state IN ('throttled', 'open')),
    until       timestamptz NOT NULL,
    cause       text NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE INDEX throttle_changes_team ON throttle_changes (team_id, id);
