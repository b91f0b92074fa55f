-- What people and machines are told. A notification is written in the transaction that decided it, and once for ever:
-- its key says what it is about. Deliveries are made of it later, one per channel and recipient.

CREATE TABLE notifications (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 1000),
    kind         text NOT NULL,
    team_id      text, -- no foreign key: telling must never be why a transaction fails
    channels     text[] NOT NULL DEFAULT '{}',
    content      jsonb NOT NULL,
    occurred_at  timestamptz NOT NULL,
    urgent       boolean NOT NULL DEFAULT false,
    routed_at    timestamptz
);
CREATE INDEX notifications_unrouted ON notifications (id) WHERE routed_at IS NULL;

-- settings holds nothing that has to be kept secret; what has to is in a table of its own, which no listing reads.
CREATE TABLE notification_channels (
    name          text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    kind          text NOT NULL CHECK (kind IN ('email', 'slack', 'webhook', 'apprise')),
    settings      jsonb NOT NULL DEFAULT '{}',
    by_default    boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    failures      integer NOT NULL DEFAULT 0,
    paused_until  timestamptz NOT NULL DEFAULT '-infinity'
);

-- A URL that opens a door by itself, or a key that signs. Of signing keys, several are valid while one is rotated.
CREATE TABLE notification_secrets (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      text NOT NULL REFERENCES notification_channels (name) ON DELETE CASCADE,
    purpose      text NOT NULL CHECK (purpose IN ('url', 'signing')),
    secret       text NOT NULL,
    created_at   timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL DEFAULT 'infinity'
);
CREATE INDEX notification_secrets_channel ON notification_secrets (channel, purpose);

-- NULL channels: the installation's default ones. Local times are those of the team's zone.
CREATE TABLE notification_preferences (
    team_id     text PRIMARY KEY REFERENCES teams (id),
    channels    text[],
    emails      text[] NOT NULL DEFAULT '{}',
    digest      text NOT NULL DEFAULT 'off' CHECK (digest IN ('off', 'daily', 'weekly')),
    digest_at   time NOT NULL DEFAULT '09:00',
    quiet_from  time,
    quiet_to    time,
    updated_at  timestamptz NOT NULL,
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

-- target: whom of the channel, for email an address. held: waits for the team's digest; merged: is part of one.
-- A worker that sends a delivery has it until leased_until. One that is found again after that was sent by a process
-- that died over it, so it may have arrived.
CREATE TABLE notification_deliveries (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id  bigint NOT NULL REFERENCES notifications (id),
    channel          text NOT NULL,
    target           text NOT NULL DEFAULT '',
    message_id       text NOT NULL UNIQUE,
    state            text NOT NULL CHECK (state IN ('pending', 'held', 'sent', 'parked', 'merged')),
    due_at           timestamptz NOT NULL,
    leased_until     timestamptz NOT NULL DEFAULT '-infinity',
    attempts         integer NOT NULL DEFAULT 0,
    replays          integer NOT NULL DEFAULT 0,
    uncertain        boolean NOT NULL DEFAULT false,
    last_error       text,
    created_at       timestamptz NOT NULL,
    sent_at          timestamptz,
    merged_into      bigint REFERENCES notifications (id),
    UNIQUE (notification_id, channel, target)
);
CREATE INDEX notification_deliveries_due ON notification_deliveries (due_at, id) WHERE state = 'pending';
CREATE INDEX notification_deliveries_held ON notification_deliveries (due_at) WHERE state = 'held';
CREATE INDEX notification_deliveries_channel ON notification_deliveries (channel, id);
CREATE INDEX notification_deliveries_parked ON notification_deliveries (id) WHERE state = 'parked';
