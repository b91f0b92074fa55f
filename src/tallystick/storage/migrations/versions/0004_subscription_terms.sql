-- Trials, pauses and moves of subscriptions.

ALTER TABLE teams ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$');

------------------------------------------------------------------------------------------------------
-- One subscription of a team at a time
------------------------------------------------------------------------------------------------------

-- A range of one text each: two of them overlap where the texts are equal. With it an exclusion constraint
-- compares teams and times together without an extension, which a database's owner may not be able to add.
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");

-- Two writers could make subscriptions overlap until now. Of two that begin together the later one stays, and
-- any other ends where the next one begins. No statement is closed yet; drafts are made anew.
DELETE FROM metered_billing_periods period USING subscriptions s, subscriptions later
WHERE period.subscription_id = s.id AND period.status = 'active'
  AND later.team_id = s.team_id AND later.starts_at = s.starts_at AND later.id > s.id;
DELETE FROM subscriptions s USING subscriptions later
WHERE later.team_id = s.team_id AND later.starts_at = s.starts_at AND later.id > s.id;
UPDATE subscriptions s SET ends_at = following.starts_at
FROM (SELECT id, lead(starts_at) OVER (PARTITION BY team_id ORDER BY starts_at) AS starts_at FROM subscriptions) following
WHERE following.id = s.id AND s.ends_at > following.starts_at;

ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_do_not_overlap
    EXCLUDE USING gist (text_range(team_id, team_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&);

------------------------------------------------------------------------------------------------------
-- What else a subscription says
------------------------------------------------------------------------------------------------------

-- anchored_at    the instant whose anniversaries billing periods begin on; kept when a team moves to another plan
-- trial_ends_at  up to when nothing is charged; null: no trial
-- canceled_at    when somebody said that it is to end at ends_at
-- recorded_at    since when this is known of it
-- As anchored_at and trial_ends_at, -infinity stands for what follows from the subscription before and the plan.
ALTER TABLE subscriptions
    ADD COLUMN anchored_at    timestamptz,
    ADD COLUMN trial_ends_at  timestamptz,
    ADD COLUMN canceled_at    timestamptz,
    ADD COLUMN cancel_reason  text,
    ADD COLUMN recorded_at    timestamptz,
    ADD CHECK (canceled_at IS NOT NULL OR cancel_reason IS NULL);
UPDATE subscriptions SET anchored_at = starts_at, recorded_at = created_at;
ALTER TABLE subscriptions
    ALTER COLUMN anchored_at SET NOT NULL,
    ALTER COLUMN anchored_at SET DEFAULT '-infinity',
    ALTER COLUMN trial_ends_at SET DEFAULT '-infinity',
    ALTER COLUMN recorded_at SET NOT NULL;
CREATE INDEX subscriptions_plan ON subscriptions (plan);

-- The instant some days after another one, at the same time of day on clocks of the zone.
CREATE FUNCTION local_days_after(moment timestamptz, days integer, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE RETURN (moment AT TIME ZONE zone + make_interval(days => days)) AT TIME ZONE zone;

-- How many days of trial the plan gives to who subscribes at an instant.
CREATE FUNCTION plan_trial_days(subscribed text, moment timestamptz) RETURNS integer
LANGUAGE sql STABLE RETURN (
    SELECT coalesce((terms ->> 'trial_days')::integer, 0) FROM plan_terms
    WHERE plan = subscribed AND superseded_at IS NULL
    ORDER BY effective_from <= moment DESC, CASE WHEN effective_from <= moment THEN effective_from END DESC, effective_from
    LIMIT 1
);

-- Whether a team was on any version of a plan before an instant.
CREATE FUNCTION was_on_plan(team text, subscribed text, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE RETURN EXISTS (
    SELECT FROM subscriptions s JOIN plans p ON p.name = s.plan
    WHERE s.team_id = team AND s.starts_at < moment
      AND p.family = (SELECT family FROM plans WHERE name = subscribed)
);

-- What nobody said about a new subscription. One that takes over from another at once goes on with its anniversaries
-- and with what is left of its trial. Otherwise the plan's trial is given, once for all versions of the plan.
CREATE FUNCTION complete_subscription() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earlier subscriptions;
    trial integer;
BEGIN
    NEW.recorded_at := coalesce(NEW.recorded_at, NEW.created_at);
    SELECT * INTO earlier FROM subscriptions WHERE team_id = NEW.team_id AND ends_at = NEW.starts_at;
    IF NEW.anchored_at = '-infinity' THEN
        NEW.anchored_at := CASE WHEN earlier.anchor = 'anniversary' AND NEW.anchor = 'anniversary'
                                THEN earlier.anchored_at ELSE NEW.starts_at END;
    END IF;
    IF NEW.trial_ends_at = '-infinity' THEN
        NEW.trial_ends_at := CASE WHEN earlier.trial_ends_at > NEW.starts_at THEN earlier.trial_ends_at END;
        trial := plan_trial_days(NEW.plan, NEW.starts_at);
        IF trial > 0 AND earlier.id IS NULL AND NOT was_on_plan(NEW.team_id, NEW.plan, NEW.starts_at) THEN
            SELECT local_days_after(NEW.starts_at, trial, time_zone) INTO NEW.trial_ends_at
            FROM teams WHERE id = NEW.team_id;
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER subscriptions_complete BEFORE INSERT ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION complete_subscription();

------------------------------------------------------------------------------------------------------
-- What was known of subscriptions
------------------------------------------------------------------------------------------------------

-- A subscription as it was known from recorded_at until replaced_at, when it was changed or taken back.
CREATE TABLE subscription_history (
    id             bigint NOT NULL,
    team_id        text NOT NULL,
    plan           text NOT NULL,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    anchor         text NOT NULL,
    anchored_at    timestamptz NOT NULL,
    trial_ends_at  timestamptz,
    canceled_at    timestamptz,
    cancel_reason  text,
    created_at     timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    replaced_at    timestamptz NOT NULL
);
CREATE INDEX subscription_history_team ON subscription_history (team_id, replaced_at);
CREATE INDEX subscription_history_replaced ON subscription_history (replaced_at);

-- A transaction says with tallystick.recorded_at at which instant its changes are recorded, else it is the present.
CREATE FUNCTION remember_subscription() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said timestamptz := nullif(current_setting('tallystick.recorded_at', true), '');
    learned timestamptz := greatest(OLD.recorded_at, coalesce(said, clock_timestamp()));
BEGIN
    INSERT INTO subscription_history
    VALUES (OLD.id, OLD.team_id, OLD.plan, OLD.starts_at, OLD.ends_at, OLD.anchor, OLD.anchored_at, OLD.trial_ends_at,
            OLD.canceled_at, OLD.cancel_reason, OLD.created_at, OLD.recorded_at, learned);
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.recorded_at := learned;
    IF NEW.ends_at = 'infinity' THEN  -- whoever lets it go on takes its cancellation back
        NEW.canceled_at := NULL;
        NEW.cancel_reason := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER subscriptions_are_remembered BEFORE UPDATE OR DELETE ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION remember_subscription();

-- Void statements are few; their periods are due again.
CREATE INDEX metered_billing_periods_void ON metered_billing_periods (subscription_id, period_start)
    WHERE status = 'void';

------------------------------------------------------------------------------------------------------
-- Pauses
------------------------------------------------------------------------------------------------------

-- A team is charged nothing in [starts_at, ends_at), on whatever plan it is then; a pause ends with the subscription
-- where none follows it at once. Rows are superseded, never changed, so that what was known when stays known.
CREATE TABLE subscription_pauses (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id        text NOT NULL REFERENCES teams (id),
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at    timestamptz NOT NULL,
    superseded_at  timestamptz,
    CHECK (starts_at < ends_at),
    CONSTRAINT pauses_do_not_overlap
        EXCLUDE USING gist (text_range(team_id, team_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (superseded_at IS NULL)
);
CREATE INDEX subscription_pauses_team ON subscription_pauses (team_id, starts_at);
