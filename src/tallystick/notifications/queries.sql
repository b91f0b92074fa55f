-- name: enqueue
-- Stores the notifications whose keys are new: neither stored nor told long ago.
INSERT INTO notifications (key, kind, team_id, channels, content, occurred_at, urgent)
SELECT key, kind, team_id, channels, content, occurred_at, urgent
FROM jsonb_to_recordset(%(notifications)s::text::jsonb)
    AS given (key text, kind text, team_id text, channels text[], content jsonb, occurred_at timestamptz,
              urgent boolean)
WHERE NOT EXISTS (SELECT FROM notification_keys k WHERE k.hash = notification_key_hash(given.key))
ORDER BY key
ON CONFLICT (key) DO NOTHING;

-- name: due
-- Whether there is something to route, a digest to make, something to send.
SELECT EXISTS (SELECT FROM notifications WHERE routed_at IS NULL),
       EXISTS (SELECT FROM notification_deliveries WHERE state = 'held' AND due_at <= %(now)s),
       EXISTS (SELECT FROM notification_deliveries WHERE state = 'pending' AND due_at <= %(now)s);

-- name: take_unrouted
-- Some notifications that have no deliveries yet, urgent ones first, and those of nobody else who looks for them now.
SELECT id, key, kind, team_id, channels, content, occurred_at, urgent
FROM notifications WHERE routed_at IS NULL
ORDER BY urgent DESC, id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: mark_routed
-- The notifications have all the deliveries that they will get.
UPDATE notifications SET routed_at = %(now)s WHERE id = ANY(%(ids)s);

-- name: insert_deliveries
-- Adds deliveries; one that exists is left as it is.
INSERT INTO notification_deliveries
    (notification_id, channel, target, message_id, state, due_at, urgent, last_error, created_at)
SELECT notification_id, channel, target, message_id, state, due_at, urgent, last_error, %(now)s
FROM jsonb_to_recordset(%(deliveries)s::text::jsonb)
    AS given (notification_id bigint, channel text, target text, message_id text, state text, due_at timestamptz,
              urgent boolean, last_error text)
ON CONFLICT DO NOTHING;

-- name: take_held
-- The deliveries of the digests that are due, and those of nobody else who makes them now.
SELECT d.id, n.team_id, d.channel, d.target, n.content, n.occurred_at
FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
WHERE d.state = 'held' AND d.due_at <= %(now)s
ORDER BY n.team_id, d.channel, d.target, d.id LIMIT %(limit)s
FOR UPDATE OF d SKIP LOCKED;

-- name: insert_digest
-- A notification that is made of others; its deliveries are made beside it.
INSERT INTO notifications (key, kind, team_id, channels, content, occurred_at, urgent, routed_at)
VALUES (%(key)s, %(kind)s, %(team_id)s, ARRAY[%(channel)s], %(content)s::text::jsonb, %(now)s, true, %(now)s)
RETURNING id;

-- name: mark_merged
-- The deliveries are told as parts of a digest.
UPDATE notification_deliveries SET state = 'merged', merged_into = %(digest)s WHERE id = ANY(%(ids)s);

-- name: claim
-- Takes deliveries that are due until the lease ends, urgent ones first: of each channel no more than may be under way at
-- once, and of one that fails a single one. What waits for one channel is not read to find what waits for another. A
-- delivery whose lease has run out may have been sent by whoever had it.
WITH RECURSIVE waiting AS (
    (SELECT channel FROM notification_deliveries WHERE state = 'pending' ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT d.channel FROM notification_deliveries d
            WHERE d.state = 'pending' AND d.channel > w.channel ORDER BY d.channel LIMIT 1)
    FROM waiting w WHERE w.channel IS NOT NULL
), open AS (
    SELECT w.channel, CASE WHEN c.failures > 0 THEN 1 ELSE %(per_channel)s END
                      - coalesce((%(under_way)s::text::jsonb ->> w.channel)::integer, 0) AS room
    FROM waiting w LEFT JOIN notification_channels c ON c.name = w.channel
    WHERE w.channel IS NOT NULL AND coalesce(c.paused_until <= %(now)s, true)
), chosen AS (
    SELECT each.id FROM open, LATERAL (
        (SELECT d.id, d.urgent, d.due_at FROM notification_deliveries d
         WHERE d.channel = open.channel AND d.state = 'pending' AND d.urgent
           AND d.due_at <= %(now)s AND d.leased_until <= %(now)s
         ORDER BY d.due_at, d.id LIMIT greatest(open.room, 0))
        UNION ALL
        (SELECT d.id, d.urgent, d.due_at FROM notification_deliveries d
         WHERE d.channel = open.channel AND d.state = 'pending' AND NOT d.urgent
           AND d.due_at <= %(now)s AND d.leased_until <= %(now)s
         ORDER BY d.due_at, d.id LIMIT greatest(open.room, 0))
        ORDER BY urgent DESC, due_at, id LIMIT greatest(open.room, 0)
    ) each
    ORDER BY each.urgent DESC, each.due_at, each.id LIMIT %(limit)s
), locked AS (
    SELECT id FROM notification_deliveries
    WHERE id IN (SELECT id FROM chosen) AND state = 'pending' AND leased_until <= %(now)s
    ORDER BY id FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE notification_deliveries d
    SET attempts = d.attempts + 1,
        uncertain = d.uncertain OR d.leased_until > '-infinity',
        leased_until = %(leased_until)s
    FROM locked WHERE d.id = locked.id
    RETURNING d.*
)
SELECT {delivery}, t.name, c.kind,
       (SELECT secret FROM notification_secrets s WHERE s.channel = d.channel AND s.purpose = 'url'),
       (SELECT coalesce(array_agg(secret ORDER BY s.id DESC), '{{}}') FROM notification_secrets s
        WHERE s.channel = d.channel AND s.purpose = 'signing' AND s.valid_until > %(now)s)
FROM taken d JOIN notifications n ON n.id = d.notification_id
LEFT JOIN notification_channels c ON c.name = d.channel
LEFT JOIN teams t ON t.id = n.team_id
ORDER BY d.urgent DESC, d.due_at, d.id;

-- name: mark_sent
-- The receiver took it; whoever lost the lease says nothing.
UPDATE notification_deliveries
SET state = 'sent', sent_at = %(now)s, leased_until = '-infinity', last_error = NULL
WHERE id = %(id)s AND leased_until = %(leased_until)s;

-- name: mark_failed
-- The receiver did not take it: it is tried again, or given up.
UPDATE notification_deliveries
SET state = %(state)s, due_at = %(due_at)s, leased_until = '-infinity', last_error = %(error)s,
    uncertain = uncertain OR %(uncertain)s
WHERE id = %(id)s AND leased_until = %(leased_until)s;

-- name: channel_recovered
-- The channel takes messages.
UPDATE notification_channels SET failures = 0, paused_until = '-infinity' WHERE name = %(name)s AND failures > 0;

-- name: count_failure
-- The channel failed once more; says how often in a row.
UPDATE notification_channels SET failures = failures + 1 WHERE name = %(name)s RETURNING failures;

-- name: pause_channel
-- Nothing is sent to the channel before an instant.
UPDATE notification_channels SET paused_until = greatest(paused_until, %(until)s) WHERE name = %(name)s;

-- name: list_deliveries
-- Deliveries, newest first.
SELECT {delivery}
FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
WHERE d.id < %(before)s
  AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(channel)s::text IS NULL OR d.channel = %(channel)s)
  AND (%(team_id)s::text IS NULL OR n.team_id = %(team_id)s)
ORDER BY d.id DESC LIMIT %(limit)s;

-- name: find_delivery
-- A delivery.
SELECT {delivery}
FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
WHERE d.id = %(id)s;

-- name: replay_delivery
-- Sends what was sent or parked once more, as the same message.
UPDATE notification_deliveries
SET state = 'pending', due_at = %(now)s, attempts = 0, replays = replays + 1, sent_at = NULL
WHERE id = %(id)s AND state IN ('sent', 'parked');

-- name: list_channels
-- Channels by name.
SELECT {channel} FROM notification_channels c WHERE c.name > %(after)s ORDER BY c.name LIMIT %(limit)s;

-- name: channels_for
-- The channels of these names, the default ones, and those that hear of some kinds whoever else does.
SELECT {channel} FROM notification_channels c
WHERE c.name = ANY(%(names)s) OR c.by_default OR c.kinds <> '{{}}'
ORDER BY c.name;

-- name: find_channel
-- The channel of that name.
SELECT {channel} FROM notification_channels c WHERE c.name = %(name)s;

-- name: insert_channel
-- Adds a channel, unless there is one of its name.
INSERT INTO notification_channels (name, kind, settings, by_default, kinds, created_at, updated_at)
VALUES (%(name)s, %(kind)s, %(settings)s::text::jsonb, %(by_default)s, %(kinds)s, %(now)s, %(now)s)
ON CONFLICT (name) DO NOTHING;

-- name: update_channel
-- Changes what is given of a channel, and forgets that it failed.
UPDATE notification_channels
SET settings = settings || %(settings)s::text::jsonb, by_default = coalesce(%(by_default)s, by_default),
    kinds = coalesce(%(kinds)s, kinds), updated_at = %(now)s, failures = 0, paused_until = '-infinity'
WHERE name = %(name)s;

-- name: delete_channel
-- Removes a channel and its secrets. What was sent by it stays on record.
DELETE FROM notification_channels WHERE name = %(name)s;

-- name: set_url
-- Makes a URL the channel's only one.
WITH gone AS (DELETE FROM notification_secrets WHERE channel = %(channel)s AND purpose = 'url')
INSERT INTO notification_secrets (channel, purpose, secret, created_at)
VALUES (%(channel)s, 'url', %(secret)s, %(now)s);

-- name: end_signing_secrets
-- Lets the secrets that sign be valid no longer than until an instant, and forgets those that are not any more.
WITH gone AS (
    DELETE FROM notification_secrets
    WHERE channel = %(channel)s AND purpose = 'signing' AND valid_until <= %(now)s
)
UPDATE notification_secrets SET valid_until = least(valid_until, %(until)s)
WHERE channel = %(channel)s AND purpose = 'signing' AND valid_until > %(now)s;

-- name: add_signing_secret
-- One more secret that signs.
INSERT INTO notification_secrets (channel, purpose, secret, created_at)
VALUES (%(channel)s, 'signing', %(secret)s, %(now)s);

-- name: recipients
-- The zones of teams, and what they prefer.
SELECT t.id, t.time_zone, p.team_id IS NOT NULL, p.channels, p.emails, p.digest, p.digest_at, p.quiet_from, p.quiet_to
FROM teams t LEFT JOIN notification_preferences p ON p.team_id = t.id
WHERE t.id = ANY(%(teams)s);

-- name: put_preferences
-- Makes these the team's preferences.
INSERT INTO notification_preferences
    (team_id, channels, emails, digest, digest_at, quiet_from, quiet_to, updated_at)
VALUES (%(team_id)s, %(channels)s, %(emails)s, %(digest)s, %(digest_at)s, %(quiet_from)s, %(quiet_to)s, %(now)s)
ON CONFLICT (team_id) DO UPDATE
SET channels = EXCLUDED.channels, emails = EXCLUDED.emails, digest = EXCLUDED.digest, digest_at = EXCLUDED.digest_at,
    quiet_from = EXCLUDED.quiet_from, quiet_to = EXCLUDED.quiet_to, updated_at = EXCLUDED.updated_at;

-- name: old_notifications
-- Some notifications that were routed before an instant and of which nothing waits, locked. What a digest was made of goes
-- before the digest.
SELECT n.id FROM notifications n
WHERE n.routed_at < %(before)s
  AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.notification_id = n.id
                  AND (d.state IN ('pending', 'held') OR coalesce(d.sent_at, d.due_at) >= %(before)s))
  AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.merged_into = n.id)
ORDER BY n.routed_at, n.id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: forget_deliveries
-- Remove what became of notifications.
DELETE FROM notification_deliveries WHERE notification_id = ANY(%(ids)s);

-- name: forget_notifications
-- Remove notifications; that their keys were told is remembered.
WITH gone AS (DELETE FROM notifications WHERE id = ANY(%(ids)s) RETURNING key)
INSERT INTO notification_keys (hash) SELECT notification_key_hash(key) FROM gone ON CONFLICT DO NOTHING;
