-- Portal tokens, which let a browser see one team; and row-level security, by which the database itself sees to it that
-- nothing else can be seen with them, whatever a query asks.

-- With what tokens are signed. The newest signs; one that is retired is believed until its tokens have expired, one that
-- is revoked is not.
CREATE TABLE portal_signing_keys (
    id          text PRIMARY KEY,
    number      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    secret      bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);

-- Tokens that were given out, without what would let anybody in.
CREATE TABLE portal_tokens (
    id          text PRIMARY KEY,
    key_id      text NOT NULL REFERENCES portal_signing_keys (id),
    team_id     text NOT NULL REFERENCES teams (id),
    scopes      text[] NOT NULL CHECK (scopes <@ ARRAY['read'] AND scopes <> '{}'),
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    CHECK (created_at < expires_at)
);
CREATE INDEX portal_tokens_listed ON portal_tokens (created_at, id);
CREATE INDEX portal_tokens_team ON portal_tokens (team_id, created_at, id);
CREATE INDEX portal_tokens_revoked ON portal_tokens (expires_at) WHERE revoked_at IS NOT NULL;

------------------------------------------------------------------------------------------------------
-- Row-level security
------------------------------------------------------------------------------------------------------

-- Whoever owns the tables (every server process) is not subject to any of this, and pays nothing for it. Requests with a
-- portal token run under a role that owns nothing, may only read, and is told the team in the setting tallystick.team_id.
-- Without that setting no row is visible: comparing with NULL is not true.
CREATE FUNCTION portal_team() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('tallystick.team_id', true), '');

-- Let a team see the rows of a table for which a condition holds, and nobody any other.
CREATE FUNCTION portal_shows(shown regclass, condition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', shown);
    EXECUTE format('CREATE POLICY portal ON %s FOR SELECT USING (%s)', shown, condition);
END
$$;

SELECT portal_shows(named::regclass, 'team_id = (SELECT portal_team())') FROM unnest(ARRAY[
    'team_terms', 'team_late_usage', 'subscriptions', 'subscription_history', 'subscription_pauses',
    'metered_billing_periods', 'invoices', 'invoice_recipients', 'credit_grants', 'credit_transactions',
    'usage_events', 'usage_aggregates', 'usage_aggregate_values', 'dirty_hours', 'changed_hours', 'dead_letters',
    'usage_alert_states', 'usage_alert_history', 'usage_alert_checks', 'usage_reservations', 'usage_throttles',
    'throttle_changes', 'notifications', 'notification_preferences', 'stripe_teams', 'stripe_metered_teams',
    'stripe_lanes', 'stripe_bills', 'portal_tokens'
]) AS named;

SELECT portal_shows('teams', 'id = (SELECT portal_team())');

-- Of a plan's and of everybody's, what concerns the team as well.
SELECT portal_shows('prices', 'team_id IS NULL OR team_id = (SELECT portal_team())');
SELECT portal_shows(named::regclass,
    'team_id = (SELECT portal_team()) OR (team_id IS NULL AND (plan IS NULL OR plan IN '
    '(SELECT p.family FROM subscriptions s JOIN plans p ON p.name = s.plan)))'
) FROM unnest(ARRAY['usage_alerts', 'usage_limits']) AS named;

-- Rows that are a part of another one are seen with it.
SELECT portal_shows('statement_lines', 'EXISTS (SELECT FROM metered_billing_periods p WHERE p.id = period_id)');
SELECT portal_shows('credit_accounts', 'EXISTS (SELECT FROM credit_grants g WHERE g.id = grant_id)');
SELECT portal_shows('credit_entries', 'EXISTS (SELECT FROM credit_transactions t WHERE t.id = transaction_id)');
SELECT portal_shows('dead_letter_edits', 'EXISTS (SELECT FROM dead_letters l WHERE l.id = letter_id)');
SELECT portal_shows('usage_pricing_tiers', 'EXISTS (SELECT FROM prices p WHERE p.id = price_id)');
SELECT portal_shows('price_ends', 'EXISTS (SELECT FROM prices p WHERE p.id = price_id)');
SELECT portal_shows('usage_alert_steps', 'EXISTS (SELECT FROM usage_alerts a WHERE a.id = alert_id)');
SELECT portal_shows('notification_deliveries', 'EXISTS (SELECT FROM notifications n WHERE n.id = notification_id)');
SELECT portal_shows('stripe_deltas', 'EXISTS (SELECT FROM stripe_lanes l WHERE l.id = lane_id)');
SELECT portal_shows('stripe_comparisons', 'EXISTS (SELECT FROM stripe_lanes l WHERE l.id = lane_id)');
SELECT portal_shows('stripe_repairs', 'EXISTS (SELECT FROM stripe_lanes l WHERE l.id = lane_id)');

-- An identity is found by its id, which is a hash of the team's id and a key; the event behind it says whose it is.
SELECT portal_shows('event_identities',
    'EXISTS (SELECT FROM usage_events e WHERE e.occurred_at = event_identities.occurred_at AND e.id = event_identities.id)');
SELECT portal_shows('event_corrections', 'EXISTS (SELECT FROM event_identities i WHERE i.id = event_id)');

-- What no team's browser has any business with is shut, even if somebody should let its role read it.
DO $$
DECLARE
    shut text;
BEGIN
    FOREACH shut IN ARRAY ARRAY['api_keys', 'catalogue_revisions', 'enforcement_changes', 'notification_channels',
        'notification_secrets', 'rollup_touched', 'stripe_batches', 'stripe_events',
        'portal_signing_keys', 'inbound_tallies', 'invoice_counters']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', shut);
    END LOOP;
END
$$;
