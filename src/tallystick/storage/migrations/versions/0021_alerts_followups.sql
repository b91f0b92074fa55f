-- Alerts: teams whose cost becomes another without usage are looked at. Notifications: urgent ones first, channels that
-- hear of some kinds whoever else does, and an end to what is kept of messages that were sent.

------------------------------------------------------------------------------------------------------
-- What a team owes changes with prices and exchange rates, too
------------------------------------------------------------------------------------------------------

-- The teams that are on one of these plans at a moment and that an alert may be about.
CREATE FUNCTION touch_teams_of_plans(named text[], moment timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO rollup_touched (team_id, touched_at)
    SELECT DISTINCT s.team_id, moment
    FROM subscriptions s JOIN plans p ON p.name = s.plan
    WHERE s.plan = ANY(named) AND s.starts_at <= moment AND s.ends_at > moment
      AND (EXISTS (SELECT FROM usage_alerts a WHERE a.team_id = s.team_id AND a.active AND a.deleted_at IS NULL)
           OR EXISTS (SELECT FROM usage_alerts a WHERE a.plan = p.family AND a.active AND a.deleted_at IS NULL)
           OR EXISTS (SELECT FROM usage_alerts a
                      WHERE a.team_id IS NULL AND a.plan IS NULL AND a.active AND a.deleted_at IS NULL))
$$;

-- Once for each file that is applied, when all of it is written: what it changed carries its instant.
CREATE FUNCTION touch_teams_of_catalogue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := NEW.applied_at;
    before jsonb := (SELECT billing FROM catalogue_revisions WHERE id < NEW.id ORDER BY id DESC LIMIT 1);
BEGIN
    PERFORM touch_teams_of_plans(ARRAY(
        SELECT plan FROM prices WHERE recorded_at = at OR superseded_at = at
        UNION SELECT plan FROM prices p JOIN price_ends e ON e.price_id = p.id WHERE e.replaced_at = at
        UNION SELECT plan FROM plan_terms WHERE recorded_at = at OR superseded_at = at
        UNION SELECT name FROM plans WHERE NEW.billing IS DISTINCT FROM before
    ), at);
    INSERT INTO rollup_touched (team_id, touched_at)
    SELECT team_id, at FROM prices WHERE team_id IS NOT NULL AND (recorded_at = at OR superseded_at = at)
    UNION SELECT team_id, at FROM prices p JOIN price_ends e ON e.price_id = p.id
          WHERE p.team_id IS NOT NULL AND e.replaced_at = at
    UNION SELECT team_id, at FROM team_terms WHERE recorded_at = at OR superseded_at = at;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER catalogue_touches_teams AFTER INSERT ON catalogue_revisions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch_teams_of_catalogue();

-- A rate concerns teams whose alert on money, bill or prices are not all in one currency.
CREATE FUNCTION touch_teams_of_rates() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := (SELECT max(recorded_at) FROM added);
BEGIN
    INSERT INTO rollup_touched (team_id, touched_at)
    SELECT DISTINCT t.id, at
    FROM usage_alerts a
    JOIN teams t ON a.team_id IS NULL OR a.team_id = t.id
    JOIN subscriptions s ON s.team_id = t.id AND s.starts_at <= at AND s.ends_at > at
    JOIN plans p ON p.name = s.plan AND (a.plan IS NULL OR a.plan = p.family)
    WHERE a.active AND a.deleted_at IS NULL AND a.kind IN ('cost', 'projected_cost', 'credit_balance')
      AND (coalesce(a.currency, p.currency) <> p.currency OR coalesce(t.currency, p.currency) <> p.currency
           OR EXISTS (SELECT FROM prices WHERE (plan = p.name OR team_id = t.id) AND superseded_at IS NULL
                                           AND currency <> p.currency));
    RETURN NULL;
END
$$;
CREATE TRIGGER rates_touch_teams AFTER INSERT ON exchange_rates REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION touch_teams_of_rates();

-- With a period's closing the next one may begin with amounts of its own: fixed fees, and corrections of the closed one.
CREATE FUNCTION touch_closed_teams() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_touched (team_id, touched_at)
    SELECT DISTINCT a.team_id, now() FROM after a JOIN before b ON b.id = a.id
    WHERE a.status = 'closed' AND b.status <> 'closed';
    RETURN NULL;
END
$$;
CREATE TRIGGER closing_touches_teams AFTER UPDATE ON metered_billing_periods
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION touch_closed_teams();

------------------------------------------------------------------------------------------------------
-- Notifications
------------------------------------------------------------------------------------------------------

-- Urgent ones do not wait behind others.
ALTER TABLE notification_deliveries ADD COLUMN urgent boolean NOT NULL DEFAULT false;
UPDATE notification_deliveries d SET urgent = true
FROM notifications n WHERE n.id = d.notification_id AND n.urgent AND d.state IN ('pending', 'parked');
CREATE INDEX notification_deliveries_waiting ON notification_deliveries (channel, urgent DESC, due_at, id)
    WHERE state = 'pending';
DROP INDEX notifications_unrouted;
CREATE INDEX notifications_unrouted ON notifications (urgent DESC, id) WHERE routed_at IS NULL;

-- Kinds of notification that a channel hears of whoever else does; alert means every kind that begins with alert.
ALTER TABLE notification_channels ADD COLUMN kinds text[] NOT NULL DEFAULT '{}';

-- A key is told once for ever, also after its notification is gone: 16 bytes of its hash stay.
CREATE TABLE notification_keys (
    hash  uuid PRIMARY KEY
);
ALTER TABLE notification_keys ENABLE ROW LEVEL SECURITY; -- see 0019: no team's browser has any business with it
CREATE FUNCTION notification_key_hash(key text) RETURNS uuid
LANGUAGE sql IMMUTABLE RETURN encode(substring(sha256(convert_to(key, 'UTF8')) FOR 16), 'hex')::uuid;

CREATE INDEX notifications_routed ON notifications (routed_at, id);
CREATE INDEX notification_deliveries_merged ON notification_deliveries (merged_into) WHERE merged_into IS NOT NULL;
