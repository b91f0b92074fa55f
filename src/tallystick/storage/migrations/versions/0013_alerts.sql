-- Alerts: what is watched, its steps, how each stands, and every change of that. A row of usage_alerts is about one team,
-- the teams of a plan (its family: all versions of it), or all of them. threshold_value is what percentages are of;
-- type and action are those of steps that do not say their own.

ALTER TABLE usage_alerts
    ALTER COLUMN team_id DROP NOT NULL,
    ALTER COLUMN metric DROP NOT NULL,
    ADD COLUMN plan        text,
    ADD COLUMN name        text NOT NULL DEFAULT '',
    ADD COLUMN kind        text NOT NULL DEFAULT 'usage'
               CHECK (kind IN ('usage', 'cost', 'projected_usage', 'projected_cost', 'credit_balance', 'rate', 'absence')),
    ADD COLUMN currency    text CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN hysteresis  numeric NOT NULL DEFAULT 0 CHECK (hysteresis >= 0 AND hysteresis < 100),
    ADD COLUMN weeks       integer NOT NULL DEFAULT 4 CHECK (weeks BETWEEN 1 AND 52),
    ADD COLUMN created_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN updated_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN deleted_at  timestamptz,
    ADD CHECK (team_id IS NULL OR plan IS NULL);
ALTER TABLE usage_alerts ALTER COLUMN created_at DROP DEFAULT, ALTER COLUMN updated_at DROP DEFAULT;

-- Whoever evaluates a team finds its alerts with these, however many others there are.
CREATE INDEX usage_alerts_team ON usage_alerts (team_id) WHERE active AND deleted_at IS NULL AND team_id IS NOT NULL;
CREATE INDEX usage_alerts_plan ON usage_alerts (plan) WHERE active AND deleted_at IS NULL AND plan IS NOT NULL;
CREATE INDEX usage_alerts_all ON usage_alerts (id) WHERE active AND deleted_at IS NULL AND team_id IS NULL AND plan IS NULL;
CREATE INDEX usage_alerts_listed ON usage_alerts (team_id, id) WHERE deleted_at IS NULL;

-- A step whose limit, type or alert is changed is retired, and another takes its place: what was reported was about
-- the old limit, and the new one has not been reported yet.
CREATE TABLE usage_alert_steps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id    bigint NOT NULL REFERENCES usage_alerts (id),
    position    integer NOT NULL,
    percent     numeric CHECK (percent > 0),
    value       numeric,
    type        text NOT NULL CHECK (type IN ('soft', 'hard')),
    action      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    retired_at  timestamptz,
    CHECK ((percent IS NULL) <> (value IS NULL))
);
CREATE INDEX usage_alert_steps_alert ON usage_alert_steps (alert_id, position) WHERE retired_at IS NULL;

-- How a step stands with a team in a period; without a row it is ok. crossings and resolutions count how often each was
-- decided: the first of each is told.
CREATE TABLE usage_alert_states (
    step_id       bigint NOT NULL REFERENCES usage_alert_steps (id),
    team_id       text NOT NULL REFERENCES teams (id),
    period_start  timestamptz NOT NULL,
    period_end    timestamptz,
    alert_id      bigint NOT NULL REFERENCES usage_alerts (id),
    state         text NOT NULL CHECK (state IN ('warning', 'exceeded', 'resolved')),
    value         numeric,
    changed_at    timestamptz NOT NULL,
    crossings     integer NOT NULL DEFAULT 0,
    resolutions   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (step_id, team_id, period_start)
);
CREATE INDEX usage_alert_states_team ON usage_alert_states (team_id, alert_id, period_start);
CREATE INDEX usage_alert_states_crossed ON usage_alert_states (alert_id, team_id) WHERE state <> 'resolved';

-- Every change of state with the numbers that caused it. What was recorded up to known_at gives value again.
CREATE TABLE usage_alert_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id      bigint NOT NULL REFERENCES usage_alerts (id),
    step_id       bigint NOT NULL REFERENCES usage_alert_steps (id),
    team_id       text NOT NULL REFERENCES teams (id),
    period_start  timestamptz NOT NULL,
    period_end    timestamptz,
    from_state    text NOT NULL,
    to_state      text NOT NULL,
    cause         text NOT NULL CHECK (cause IN ('measured', 'changed', 'deleted')),
    value         numeric,
    limit_value   numeric NOT NULL,
    unit          text NOT NULL,
    terms         jsonb NOT NULL,
    known_at      timestamptz NOT NULL,
    told          boolean NOT NULL
);
CREATE INDEX usage_alert_history_alert ON usage_alert_history (alert_id, id);
CREATE INDEX usage_alert_history_team ON usage_alert_history (team_id, id);

-- When an alert has to look at a team although nothing was used: a silence that lasts, an hour that ends, credit that
-- lapses. Found by time, so that what is not due costs nothing. infinity: once it is used again.
-- since: of an absence, the last event that is known of.
CREATE TABLE usage_alert_checks (
    team_id   text NOT NULL REFERENCES teams (id),
    alert_id  bigint NOT NULL REFERENCES usage_alerts (id),
    due_at    timestamptz NOT NULL,
    since     timestamptz,
    PRIMARY KEY (team_id, alert_id)
);
CREATE INDEX usage_alert_checks_due ON usage_alert_checks (due_at) WHERE due_at < 'infinity';
CREATE INDEX usage_alert_checks_alert ON usage_alert_checks (alert_id);

-- What a team owes and what is left of its credit change without usage, too. Then it is looked at like a team whose usage
-- was rolled up.
CREATE FUNCTION touch_team() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_touched (team_id, touched_at) VALUES (NEW.team_id, now());
    RETURN NULL;
END
$$;
CREATE TRIGGER credits_touch_their_team AFTER INSERT ON credit_transactions
    FOR EACH ROW EXECUTE FUNCTION touch_team();
CREATE TRIGGER subscriptions_touch_their_team AFTER INSERT OR UPDATE ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION touch_team();
CREATE TRIGGER pauses_touch_their_team AFTER INSERT OR UPDATE ON subscription_pauses
    FOR EACH ROW EXECUTE FUNCTION touch_team();
