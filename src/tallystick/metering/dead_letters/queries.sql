-- name: dead_letters
-- Dead letters, newest first; of a long body only the beginning.
SELECT {columns}
FROM dead_letters d
LEFT JOIN LATERAL (SELECT number, body FROM dead_letter_edits WHERE letter_id = d.id ORDER BY number DESC LIMIT 1) e
    ON true
WHERE {matching} AND (%(before)s::bigint IS NULL OR d.id < %(before)s)
ORDER BY d.id DESC
LIMIT %(limit)s;

-- name: letters_to_replay
-- Some letters, oldest first, and how large each is.
SELECT d.id, octet_length(d.body) FROM dead_letters d
WHERE {matching} AND d.id > %(after)s
ORDER BY d.id
LIMIT %(limit)s;

-- name: letters
-- These dead letters, oldest first.
SELECT {columns}
FROM dead_letters d
LEFT JOIN LATERAL (SELECT number, body FROM dead_letter_edits WHERE letter_id = d.id ORDER BY number DESC LIMIT 1) e
    ON true
WHERE d.id = ANY(%(ids)s::bigint[])
ORDER BY d.id;

-- name: columns
-- What a letter is, with its latest edit; bodies are cut to a length.
d.id, d.digest, d.team_id, d.idempotency_key, d.format, substring(d.body FOR %(length)s), octet_length(d.body),
d.code, d.field, d.message, d.occurred_at, d.received_at, d.last_seen_at, d.seen,
coalesce(e.number, 0), substring(e.body FOR %(length)s),
d.attempts, d.attempted_at, d.attempt_code, d.attempt_message,
d.replayed_at, d.replayed_by, d.replayed_as, d.discarded_at, d.discarded_by, d.discard_reason;

-- name: waiting
-- How many dead letters wait, by reason.
SELECT d.code, count(*), sum(d.seen)::bigint
FROM dead_letters d
WHERE d.replayed_at IS NULL AND d.discarded_at IS NULL
  AND (%(team_id)s::text IS NULL OR d.team_id = %(team_id)s)
  AND (%(start)s::timestamptz IS NULL OR d.occurred_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR d.occurred_at < %(end)s)
GROUP BY d.code ORDER BY d.code;

-- name: lock_letter
-- What became of a letter, which nobody else edits or settles meanwhile.
SELECT replayed_at, discarded_at FROM dead_letters WHERE id = %(id)s FOR UPDATE;

-- name: edits
-- Every repair of a letter, in order.
SELECT number, body, reason, edited_by, edited_at FROM dead_letter_edits WHERE letter_id = %(id)s ORDER BY number;

-- name: record_edit
-- A letter was repaired once more.
INSERT INTO dead_letter_edits (letter_id, number, body, reason, edited_by, edited_at)
SELECT %(id)s, coalesce(max(number), 0) + 1, %(body)s, %(reason)s, %(actor)s, %(now)s
FROM dead_letter_edits WHERE letter_id = %(id)s;

-- name: mark_replayed
-- These letters were sent again and taken.
UPDATE dead_letters d SET replayed_at = %(now)s, replayed_by = %(actor)s, replayed_as = r.event_id
FROM unnest(%(ids)s::bigint[], %(events)s::uuid[]) AS r (id, event_id)
WHERE d.id = r.id AND d.replayed_at IS NULL;

-- name: mark_attempted
-- These letters were sent again and rejected again.
UPDATE dead_letters d SET attempts = d.attempts + 1, attempted_at = %(now)s, attempt_code = r.code,
                          attempt_message = r.message
FROM unnest(%(ids)s::bigint[], %(codes)s::text[], %(messages)s::text[]) AS r (id, code, message)
WHERE d.id = r.id;

-- name: discard
-- Give a letter up.
UPDATE dead_letters SET discarded_at = %(now)s, discarded_by = %(actor)s, discard_reason = %(reason)s
WHERE id = %(id)s AND replayed_at IS NULL AND discarded_at IS NULL;

-- name: discard_matching
-- Give up every letter that waits and matches.
UPDATE dead_letters d SET discarded_at = %(now)s, discarded_by = %(actor)s, discard_reason = %(reason)s
WHERE d.replayed_at IS NULL AND d.discarded_at IS NULL AND {matching};

-- name: restore
-- A letter that was given up waits again.
UPDATE dead_letters SET discarded_at = NULL, discarded_by = NULL, discard_reason = NULL
WHERE id = %(id)s AND replayed_at IS NULL AND discarded_at IS NOT NULL;

-- name: delete
-- Erase a letter that waits for nothing any more, with its edits.
DELETE FROM dead_letters WHERE id = %(id)s AND (replayed_at IS NOT NULL OR discarded_at IS NOT NULL);

-- name: delete_settled
-- Erase some letters that were replayed or discarded before an instant.
DELETE FROM dead_letters
WHERE id IN (SELECT id FROM dead_letters
             WHERE (replayed_at IS NOT NULL OR discarded_at IS NOT NULL) AND coalesce(replayed_at, discarded_at) < %(before)s
             LIMIT %(limit)s);

-- name: matching
-- Whether a letter is meant by a filter.
(%(team_id)s::text IS NULL OR d.team_id = %(team_id)s)
AND (%(code)s::text IS NULL OR d.code = %(code)s)
AND (%(among)s::text[] IS NULL OR d.code = ANY(%(among)s))
AND (%(except_for)s::text[] IS NULL OR d.code <> ALL(%(except_for)s))
AND (%(start)s::timestamptz IS NULL OR d.occurred_at >= %(start)s)
AND (%(end)s::timestamptz IS NULL OR d.occurred_at < %(end)s)
AND CASE %(state)s::text
        WHEN 'waiting' THEN d.replayed_at IS NULL AND d.discarded_at IS NULL
        WHEN 'replayed' THEN d.replayed_at IS NOT NULL
        WHEN 'discarded' THEN d.replayed_at IS NULL AND d.discarded_at IS NOT NULL
        ELSE TRUE
    END;

-- name: keep
-- Keep a rejected event; the same one again is only counted.
INSERT INTO dead_letters AS d (digest, team_id, idempotency_key, format, body, code, field, message, occurred_at,
                               received_at, last_seen_at)
VALUES (%(digest)s, %(team_id)s, %(idempotency_key)s, %(format)s, %(body)s, %(code)s, %(field)s, %(message)s,
        %(occurred_at)s, %(now)s, %(now)s)
ON CONFLICT (digest) DO UPDATE SET seen = d.seen + 1, last_seen_at = excluded.last_seen_at;
