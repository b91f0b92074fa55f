-- name: keep
-- Keep that something happened, once.
INSERT INTO stripe_events (id, type, object_id, live, thin, happened_at, received_at, next_at)
VALUES (%(id)s, %(type)s, %(object_id)s, %(live)s, %(thin)s, %(happened_at)s, %(now)s, %(now)s)
ON CONFLICT (id) DO NOTHING;

-- name: claim
-- Take an event that nobody has looked at; nobody else takes it until the lease is over.
UPDATE stripe_events SET leased_until = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM stripe_events
    WHERE processed_at IS NULL AND next_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY next_at, happened_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id, type, object_id, live, thin, happened_at, attempts, received_at;

-- name: processed
-- An event was looked at.
UPDATE stripe_events SET processed_at = %(now)s, outcome = %(outcome)s, leased_until = NULL, next_at = NULL
WHERE id = %(id)s;

-- name: put_off
-- An event is looked at later.
UPDATE stripe_events SET next_at = %(next_at)s, outcome = %(outcome)s, leased_until = NULL WHERE id = %(id)s;

-- name: tidy
-- Forget events that were looked at long ago; Stripe does not send them again.
DELETE FROM stripe_events WHERE processed_at < %(before)s;
