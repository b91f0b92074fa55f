-- Dead letters that can be edited, counted by when they happened, discarded and deleted, with who did it and when.

-- What was sent stays in body. occurred_at is when the event says it happened, or when it came if it doesn't say.
-- format says how body is to be read. A replay that was rejected again is counted; the latest reason is kept.
ALTER TABLE dead_letters
    ADD COLUMN format           text NOT NULL DEFAULT 'event',
    ADD COLUMN occurred_at      timestamptz,
    ADD COLUMN attempts         integer NOT NULL DEFAULT 0,
    ADD COLUMN attempted_at     timestamptz,
    ADD COLUMN attempt_code     text,
    ADD COLUMN attempt_message  text,
    ADD COLUMN replayed_by      text,
    ADD COLUMN discarded_at     timestamptz,
    ADD COLUMN discarded_by     text,
    ADD COLUMN discard_reason   text;
UPDATE dead_letters SET occurred_at = received_at;
ALTER TABLE dead_letters ALTER COLUMN occurred_at SET NOT NULL;

-- A repair: the event as it should have been sent. The latest one is what is replayed.
CREATE TABLE dead_letter_edits (
    letter_id  bigint NOT NULL REFERENCES dead_letters (id) ON DELETE CASCADE,
    number     integer NOT NULL,
    body       bytea NOT NULL,
    reason     text,
    edited_by  text NOT NULL,
    edited_at  timestamptz NOT NULL,
    PRIMARY KEY (letter_id, number)
);

DROP INDEX dead_letters_open;
CREATE INDEX dead_letters_waiting ON dead_letters (id) INCLUDE (code) WHERE replayed_at IS NULL AND discarded_at IS NULL;
CREATE INDEX dead_letters_waiting_of_team ON dead_letters (team_id, occurred_at)
    WHERE replayed_at IS NULL AND discarded_at IS NULL;
CREATE INDEX dead_letters_settled ON dead_letters (coalesce(replayed_at, discarded_at))
    WHERE replayed_at IS NOT NULL OR discarded_at IS NOT NULL;
