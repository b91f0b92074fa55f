-- name: tally
-- Add a request to what came from its source that day.
INSERT INTO inbound_tallies AS t (source, day, requests, accepted, duplicates, rejected, ignored, last_at)
VALUES (%(source)s, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, 1, %(accepted)s, %(duplicates)s, %(rejected)s,
        %(ignored)s, %(now)s)
ON CONFLICT (source, day) DO UPDATE SET
    requests = t.requests + 1,
    accepted = t.accepted + excluded.accepted,
    duplicates = t.duplicates + excluded.duplicates,
    rejected = t.rejected + excluded.rejected,
    ignored = t.ignored + excluded.ignored,
    last_at = greatest(t.last_at, excluded.last_at);

-- name: tallies
-- What came from each source since a day.
SELECT source, sum(requests)::bigint, sum(accepted)::bigint, sum(duplicates)::bigint, sum(rejected)::bigint,
       sum(ignored)::bigint, max(last_at)
FROM inbound_tallies WHERE day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date
GROUP BY source;
