-- What came in by webhook, per source and UTC day: whether a source is heard of at all, and what became of its events.

CREATE TABLE inbound_tallies (
    source      text NOT NULL,
    day         date NOT NULL,
    requests    bigint NOT NULL,
    accepted    bigint NOT NULL,
    duplicates  bigint NOT NULL,
    rejected    bigint NOT NULL,
    ignored     bigint NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (source, day)
);
