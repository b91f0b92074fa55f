-- What dashboards show while it moves: word of what was touched, and the present of every team as it was last looked at.

-- Teams whose numbers may have changed, for whoever keeps the overview. Like rollup_touched a queue that is only ever
-- appended to, so that nothing waits for whoever takes rows out.
CREATE TABLE overview_touched (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id  text NOT NULL
);

-- Whoever listens (dashboards that are open, in any server process) is told when the transaction commits. A message holds
-- less than 8,000 bytes: where the ids of the teams don't fit into one, there are several.
CREATE FUNCTION tell_touched() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part jsonb;
BEGIN
    INSERT INTO overview_touched (team_id) SELECT DISTINCT team_id FROM touched;
    FOR part IN
        SELECT jsonb_agg(team_id) FROM (
            SELECT team_id, sum(octet_length(to_jsonb(team_id)::text) + 2) OVER (ORDER BY team_id) / 6000 AS number
            FROM (SELECT DISTINCT team_id FROM touched) distinct_teams
        ) numbered
        GROUP BY number
    LOOP
        PERFORM pg_notify('tallystick_live', jsonb_build_object('teams', part)::text);
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER touched_is_told AFTER INSERT ON rollup_touched
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION tell_touched();

CREATE FUNCTION tell_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tallystick_live', '{"alerts": true}');
    RETURN NULL;
END
$$;
CREATE TRIGGER alerts_are_told AFTER INSERT ON usage_alert_history
    FOR EACH STATEMENT EXECUTE FUNCTION tell_alerts();

-- A team's current period as it was charged at computed_at, and what the period before came to. All of it can be computed
-- anew at any time. due_at: when that has to be done although nothing was touched.
CREATE TABLE overview_teams (
    team_id         text PRIMARY KEY REFERENCES teams (id),
    plan            text,
    currency        text,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL,
    events          bigint NOT NULL,
    cost            numeric,
    projected       numeric,
    previous_start  timestamptz,
    previous        numeric,
    previous_at     timestamptz,
    computed_at     timestamptz NOT NULL,
    due_at          timestamptz NOT NULL
);
CREATE INDEX overview_teams_due ON overview_teams (due_at);
CREATE INDEX overview_teams_cost ON overview_teams (currency, cost DESC NULLS LAST, team_id);

CREATE FUNCTION new_team_in_overview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO overview_touched (team_id) SELECT id FROM added;
    RETURN NULL;
END
$$;
CREATE TRIGGER new_teams_are_in_the_overview AFTER INSERT ON teams
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION new_team_in_overview();
INSERT INTO overview_touched (team_id) SELECT id FROM teams;

-- See 0019: a team sees its own row.
SELECT portal_shows('overview_teams', 'team_id = (SELECT portal_team())');
ALTER TABLE overview_touched ENABLE ROW LEVEL SECURITY;
