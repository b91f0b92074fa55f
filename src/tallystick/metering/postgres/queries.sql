-- name: create_stage
-- The table of one connection that a batch is copied into before its identities are claimed.
CREATE TEMPORARY TABLE IF NOT EXISTS ingest_stage (
    position         integer NOT NULL,
    id               uuid NOT NULL,
    content          bigint NOT NULL,
    team_id          text NOT NULL,
    user_id          text,
    event_type       text,
    event_name       text NOT NULL,
    quantity         numeric(38, 18) NOT NULL,
    unit             text,
    metadata         jsonb,
    idempotency_key  text NOT NULL,
    occurred_at      timestamptz NOT NULL,
    amends           uuid
) ON COMMIT DELETE ROWS;

-- name: copy_to_stage
-- Bring a batch in, in COPY's text format.
COPY ingest_stage FROM STDIN;

-- name: hold_seal
-- From here until the transaction ends nothing can be sealed.
SELECT pg_advisory_xact_lock_shared(7461003);

-- name: lock_seal
-- Wait until everything that is just being recorded is committed, and keep what comes next waiting.
SELECT pg_advisory_xact_lock(7461003);

-- name: seal
-- Everything recorded from now on is recorded after this instant. Each is later than the one before, so that it
-- has what was recorded right after that, even if the clock stood still.
UPDATE usage_seal SET sealed_until = greatest(%(now)s, sealed_until + interval '1 microsecond') RETURNING sealed_until;

-- name: staged_rows
-- A large batch: the rows that were copied to the stage.
ingest_stage;

-- name: staged_json
-- A small batch: its rows as a JSON array, which saves the trips to the server that a COPY takes.
json_to_recordset(%(events)s::json) AS s (
    position integer, id uuid, content bigint, team_id text, user_id text, event_type text, event_name text,
    quantity numeric(38, 18), unit text, metadata jsonb, idempotency_key text, occurred_at timestamptz, amends uuid);

-- name: claim_and_insert
-- Claim the identities nobody has yet, insert their events, and record them as a batch. Claimed in the order of the
-- ids, so that two writers with the same events wait for each other instead of deadlocking. Recorded after what is
-- sealed: the caller holds the seal. Answers with the positions of the events that are not new.
WITH batch AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('ingest_batches', 'id')) AS id,
           greatest(%(recorded_at)s, sealed_until + interval '1 microsecond') AS recorded_at
    FROM usage_seal
), staged AS MATERIALIZED (
    SELECT * FROM {staged}
), claimed AS (
    INSERT INTO event_identities (id, content, batch_id, occurred_at)
    SELECT s.id, s.content, batch.id, s.occurred_at FROM staged s, batch ORDER BY s.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), inserted AS (
    INSERT INTO usage_events (id, batch_id, position, team_id, user_id, event_type, event_name, quantity, unit,
                              metadata, idempotency_key, occurred_at, recorded_at, amends)
    SELECT s.id, batch.id, s.position, s.team_id, s.user_id, s.event_type, s.event_name, s.quantity, s.unit,
           s.metadata, s.idempotency_key, s.occurred_at, batch.recorded_at, s.amends
    FROM staged s JOIN claimed USING (id), batch
), recorded AS (
    INSERT INTO ingest_batches (id, events, recorded_at) OVERRIDING SYSTEM VALUE
    SELECT batch.id, fresh.events, batch.recorded_at
    FROM batch, (SELECT count(*)::integer AS events FROM claimed) fresh WHERE fresh.events > 0
)
SELECT CASE WHEN (SELECT count(*) FROM claimed) < (SELECT count(*) FROM staged) THEN
           ARRAY(SELECT s.position FROM staged s LEFT JOIN claimed USING (id) WHERE claimed.id IS NULL) END;

-- name: contents
-- With which content identities were recorded.
SELECT id, content FROM event_identities WHERE id = ANY(%(ids)s);

-- name: partitions
-- The months of usage_events that exist.
SELECT to_date(substring(c.relname FROM '\d{4}_\d{2}$'), 'YYYY_MM')
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'usage_events'::regclass
ORDER BY 1;

-- name: lock_partitions
-- One process at a time creates partitions.
SELECT pg_advisory_xact_lock(7461002);

-- name: create_partition
-- A month's table beside the partitioned one, with the bounds as a check so that attaching scans nothing.
CREATE TABLE IF NOT EXISTS {partition} (
    LIKE usage_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    CHECK (occurred_at >= {start} AND occurred_at < {end})
);

-- name: attach_partition
-- Make it a partition; this takes a lock that lets reads and writes of the other months go on.
ALTER TABLE usage_events ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end});

-- name: tune_partition
-- Appended to all the time: keep its statistics and visibility map fresh.
ALTER TABLE {partition} SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- name: event_by_id
-- One event with the correction that voided it; its identity says where to look.
SELECT e.id, e.batch_id, e.position, e.team_id, e.user_id, e.event_type, e.event_name, e.quantity, e.unit,
       e.metadata::text, e.idempotency_key, e.occurred_at, e.recorded_at, e.amends, c.kind, c.replacement_id
FROM event_identities i
JOIN usage_events e ON e.occurred_at = i.occurred_at AND e.batch_id = i.batch_id AND e.id = i.id
LEFT JOIN event_corrections c ON c.event_id = e.id
WHERE i.id = %(id)s;

-- name: correction_of
-- The correction of an event.
SELECT event_id, kind, replacement_id, reason, actor, recorded_at FROM event_corrections WHERE event_id = %(id)s;

-- name: record_correction
-- Void an event from now on, unless it was corrected before. Recorded after what is sealed.
INSERT INTO event_corrections (event_id, kind, replacement_id, reason, actor, recorded_at)
SELECT %(event_id)s, %(kind)s, %(replacement_id)s, %(reason)s, %(actor)s,
       greatest(%(recorded_at)s, sealed_until + interval '1 microsecond')
FROM usage_seal
ON CONFLICT (event_id) DO NOTHING
RETURNING recorded_at;

-- name: mark_dirty
-- The roll-ups of this hour have to be recomputed.
INSERT INTO dirty_hours (team_id, hour, event_name, recorded_at)
VALUES (%(team_id)s, date_trunc('hour', %(occurred_at)s::timestamptz, 'UTC'), %(event_name)s, %(recorded_at)s);

-- name: count_amendments
-- How often an event was amended: numbers the identity of the next replacement.
WITH RECURSIVE chain (id, replacement_id) AS (
    SELECT event_id, replacement_id FROM event_corrections WHERE event_id = %(id)s
    UNION ALL
    SELECT c.event_id, c.replacement_id FROM chain JOIN event_corrections c ON c.event_id = chain.replacement_id
)
SELECT count(*) FROM chain;

-- name: page_of_events
-- A page of raw events in the order that the slots say, and what each is worth to the metric asked for.
SELECT e.id, e.batch_id, e.position, e.team_id, e.user_id, e.event_type, e.event_name, e.quantity, e.unit,
       e.metadata::text, e.idempotency_key, e.occurred_at, e.recorded_at, e.amends, c.kind, c.replacement_id,
       {value}
FROM {source} e
LEFT JOIN event_corrections c ON c.event_id = e.id AND {known}
WHERE {conditions}
ORDER BY {order}
LIMIT %(limit)s;

-- name: events_looked_at
-- A bounded number of events in the order of an index, for a page to look through.
(SELECT * FROM usage_events e WHERE {scope} ORDER BY {order} LIMIT %(most)s);

-- name: last_looked_at
-- The last of them, by its position and its time; nothing where there are fewer.
SELECT {columns}, {instant} FROM usage_events e WHERE {scope} ORDER BY {order} OFFSET %(most)s - 1 LIMIT 1;

-- name: events_of_identity
-- An event and what was put in its place, by their identities.
(WITH RECURSIVE chain (id) AS (
    SELECT %(id)s::uuid
    UNION
    SELECT c.replacement_id FROM chain JOIN event_corrections c ON c.event_id = chain.id
    WHERE c.replacement_id IS NOT NULL
)
SELECT e.*
FROM chain
JOIN event_identities i ON i.id = chain.id
JOIN usage_events e ON e.occurred_at = i.occurred_at AND e.batch_id = i.batch_id AND e.id = i.id);

-- name: tail
-- The batches that no roll-up has taken yet, oldest first, with their sizes.
SELECT id, events FROM ingest_batches WHERE rolled_up_at IS NULL ORDER BY id;

-- name: dirty_hours_of_teams
-- The hours of teams that have to be read from raw events.
SELECT DISTINCT team_id, hour FROM dirty_hours WHERE team_id = ANY(%(teams)s::text[]);

-- name: tail_hours
-- The hours of teams that events of the tail fall into.
SELECT DISTINCT e.team_id, date_trunc('hour', e.occurred_at, 'UTC')
FROM usage_events e
WHERE e.batch_id = ANY(%(tail)s::bigint[]) AND e.team_id = ANY(%(teams)s::text[]);

-- name: hours_changed_since
-- The hours of teams whose roll-ups hold what was not known at a moment.
SELECT DISTINCT team_id, hour FROM changed_hours
WHERE team_id = ANY(%(teams)s::text[]) AND changed_at > %(known_at)s;

-- name: metric_events
-- The events that a metric version counts, with their values: the one place that says so. A voided
-- event is not among them.
SELECT e.id, e.team_id, e.occurred_at, e.recorded_at, e.batch_id, e.position, e.amends, {dimensions} AS dimensions,
       {value} AS value, {member} AS member
FROM {source}
WHERE {match} AND {scope}
  AND NOT EXISTS (SELECT FROM event_corrections c WHERE c.event_id = e.id AND {known});

-- name: partials
-- Partials that merge in any order, per group. OFFSET 0 has the value of an event read from its metadata once, and
-- not by each of the aggregates.
SELECT {group}, count(*) AS events, count(*) FILTER (WHERE value IS NULL AND member IS NULL) AS unvalued,
       sum(value) AS total, min(value) AS minimum, max(value) AS maximum,
       {moment} AS moment, NULL::numeric AS area, NULL::timestamptz AS first_at, NULL::numeric AS latest,
       max(occurred_at) FILTER (WHERE value IS NOT NULL) AS latest_at, NULL::bigint AS latest_batch, NULL::integer AS latest_position
FROM (SELECT * FROM (SELECT *, {columns} FROM ({events}) counted) placed WHERE {matching} OFFSET 0) valued
GROUP BY {group};

-- name: ordered_partials
-- Partials of a level: its value × time between the group's first and last event, and where it stands.
SELECT {group}, count(*) AS events, count(*) - count(value) AS unvalued,
       sum(value) AS total, min(value) AS minimum, max(value) AS maximum, NULL::numeric AS moment,
       coalesce(sum(value * extract(epoch FROM following - occurred_at)), 0) AS area,
       min(occurred_at) FILTER (WHERE value IS NOT NULL) AS first_at,
       max(value) FILTER (WHERE last) AS latest,
       max(occurred_at) FILTER (WHERE last) AS latest_at,
       max(batch_id) FILTER (WHERE last) AS latest_batch,
       max(position) FILTER (WHERE last) AS latest_position
FROM (
    SELECT *, following IS NULL AND value IS NOT NULL AS last
    FROM (
        SELECT *, lead(occurred_at) OVER (PARTITION BY {group}, value IS NULL
                                          ORDER BY occurred_at, batch_id, position) AS following
        FROM (SELECT *, {columns} FROM ({events}) counted) placed
        WHERE {matching}
    ) followed
) levels
GROUP BY {group};

-- name: opening_levels
-- The last level among raw events, per team and dimensions.
SELECT DISTINCT ON (team_id, dimensions) team_id, {dimensions}, value, occurred_at, batch_id, position
FROM ({events}) placed
WHERE value IS NOT NULL AND {matching}
ORDER BY team_id, dimensions, occurred_at DESC, batch_id DESC, position DESC;

-- name: merge_partials
-- Add partials of new batches to the buckets they fall into. Nobody else writes them meanwhile.
MERGE INTO usage_aggregates a
USING (SELECT * FROM ({partials}) partials ORDER BY team_id, bucket, dimensions) p
ON a.metric_version_id = %(version)s AND a.team_id = p.team_id AND a.period_start = p.bucket
    AND a.dimensions = p.dimensions
WHEN MATCHED THEN UPDATE SET
    events = a.events + p.events,
    unvalued = a.unvalued + p.unvalued,
    total = coalesce(a.total + p.total, a.total, p.total),
    minimum = least(a.minimum, p.minimum),
    maximum = greatest(a.maximum, p.maximum),
    {kept}
WHEN NOT MATCHED THEN INSERT
    (metric_version_id, team_id, period_start, period_end, dimensions, events, unvalued, total, minimum, maximum,
     moment, area, first_at, latest, latest_at, latest_batch, latest_position, unit)
VALUES
    (%(version)s, p.team_id, p.bucket, p.bucket + %(bucket)s::interval, p.dimensions, p.events, p.unvalued, p.total,
     p.minimum, p.maximum, p.moment, p.area, p.first_at, p.latest, p.latest_at, p.latest_batch, p.latest_position,
     %(unit)s);

-- name: kept_unordered
-- What else a bucket keeps where the order of its events does not matter.
    moment = coalesce(a.moment + p.moment, a.moment, p.moment),
    latest_at = greatest(a.latest_at, p.latest_at)

-- name: kept_ordered
-- What else a bucket keeps of a level: its area, continued from the bucket's last level, and where it stands now.
    area = coalesce(a.area + a.latest * extract(epoch FROM p.first_at - a.latest_at) + p.area,
                    nullif(a.area, 0), p.area, a.area),
    first_at = least(a.first_at, p.first_at),
    (latest, latest_at, latest_batch, latest_position) = (
        SELECT l.latest, l.latest_at, l.latest_batch, l.latest_position
        FROM (VALUES (a.latest, a.latest_at, a.latest_batch, a.latest_position),
                     (p.latest, p.latest_at, p.latest_batch, p.latest_position))
            AS l (latest, latest_at, latest_batch, latest_position)
        ORDER BY l.latest_at DESC NULLS LAST, l.latest_batch DESC, l.latest_position DESC
        LIMIT 1)

-- name: merge_values
-- Add the values of new batches to the buckets they fall into. Nobody else writes them meanwhile. A unique count asks
-- whether a value occurred and not how often: its rows stay as they are, and are read from the index alone.
MERGE INTO usage_aggregate_values a
USING (
    SELECT team_id, bucket, dimensions, member, {occurrences} AS occurrences
    FROM (SELECT *, {columns} FROM ({events}) counted) placed
    WHERE member IS NOT NULL
    GROUP BY team_id, bucket, dimensions, member
    ORDER BY team_id, bucket, dimensions, member
) p
ON a.metric_version_id = %(version)s AND a.team_id = p.team_id AND a.period_start = p.bucket
    AND a.dimensions = p.dimensions AND a.value = p.member
WHEN MATCHED THEN {again}
WHEN NOT MATCHED THEN INSERT (metric_version_id, team_id, period_start, dimensions, value, occurrences)
VALUES (%(version)s, p.team_id, p.bucket, p.dimensions, p.member, p.occurrences);

-- name: out_of_order
-- The hours in which a level changed earlier than the last change that the roll-up knows.
SELECT DISTINCT e.team_id, date_trunc('hour', e.occurred_at, 'UTC')
FROM ({events}) e
JOIN usage_aggregates a ON a.metric_version_id = %(version)s AND a.team_id = e.team_id
    AND a.period_start = date_bin(%(bucket)s::interval, e.occurred_at, '2000-01-01Z')
    AND a.dimensions = e.dimensions
WHERE e.occurred_at <= a.latest_at AND e.value IS NOT NULL;

-- name: dirty_hours
-- Every hour that has to be recomputed, with the marks that say so.
SELECT team_id, hour, array_agg(id) FROM dirty_hours GROUP BY team_id, hour ORDER BY team_id, hour LIMIT %(limit)s;

-- name: delete_hours
-- Forget the roll-ups of hours that are about to be recomputed.
DELETE FROM usage_aggregates a
USING unnest(%(teams)s::text[], %(hours)s::timestamptz[]) AS d (team_id, hour)
WHERE a.metric_version_id = %(version)s AND a.team_id = d.team_id
  AND a.period_start >= d.hour AND a.period_start < d.hour + interval '1 hour';

-- name: delete_hour_values
-- Forget the values of hours that are about to be recomputed.
DELETE FROM usage_aggregate_values a
USING unnest(%(teams)s::text[], %(hours)s::timestamptz[]) AS d (team_id, hour)
WHERE a.metric_version_id = %(version)s AND a.team_id = d.team_id
  AND a.period_start >= d.hour AND a.period_start < d.hour + interval '1 hour';

-- name: record_late
-- The hours that had passed when events of these batches were recorded. Nobody else writes them meanwhile.
MERGE INTO changed_hours h
USING (
    SELECT team_id, date_trunc('hour', occurred_at, 'UTC') AS hour, event_name, max(recorded_at) AS changed_at
    FROM usage_events
    WHERE batch_id = ANY(%(batches)s::bigint[])
      AND recorded_at >= date_trunc('hour', occurred_at, 'UTC') + interval '1 hour'
    GROUP BY 1, 2, 3
) late
ON h.team_id = late.team_id AND h.hour = late.hour AND h.event_name = late.event_name
WHEN MATCHED AND h.changed_at < late.changed_at THEN UPDATE SET changed_at = late.changed_at
WHEN NOT MATCHED THEN INSERT (team_id, hour, event_name, changed_at)
VALUES (late.team_id, late.hour, late.event_name, late.changed_at);

-- name: record_corrected
-- The hours that corrections changed.
INSERT INTO changed_hours AS h (team_id, hour, event_name, changed_at)
SELECT team_id, hour, event_name, max(recorded_at)
FROM dirty_hours
WHERE id = ANY(%(marks)s) AND event_name IS NOT NULL
GROUP BY 1, 2, 3
ON CONFLICT (team_id, hour, event_name) DO UPDATE SET changed_at = greatest(h.changed_at, excluded.changed_at);

-- name: changes
-- By events of which names usage changed that was known at a moment (per number), and whether they fall into the
-- interval or before it. Besides the hours that are known to have changed: corrections and events that no roll-up
-- has taken, and what was recorded within the very hour of that moment, which had not passed then.
WITH known AS (
    SELECT * FROM unnest(%(numbers)s::integer[], %(teams)s::text[], %(starts)s::timestamptz[],
                         %(ends)s::timestamptz[], %(moments)s::timestamptz[])
        AS k (number, team_id, start, finish, known_at)
), changes AS (
    SELECT k.number, h.event_name, h.hour + interval '1 hour' > k.start AS inside
    FROM known k JOIN changed_hours h ON h.team_id = k.team_id AND h.changed_at > k.known_at AND h.hour < k.finish
    UNION ALL
    SELECT k.number, d.event_name, d.hour + interval '1 hour' > k.start
    FROM known k JOIN dirty_hours d ON d.team_id = k.team_id AND d.recorded_at > k.known_at AND d.hour < k.finish
    UNION ALL
    SELECT k.number, e.event_name, e.occurred_at >= k.start
    FROM known k JOIN usage_events e ON e.team_id = k.team_id AND e.recorded_at > k.known_at AND e.occurred_at < k.finish
    WHERE e.batch_id = ANY(%(tail)s::bigint[])
    UNION ALL
    SELECT k.number, e.event_name, e.occurred_at >= k.start
    FROM known k JOIN usage_events e ON e.team_id = k.team_id AND e.recorded_at > k.known_at AND e.occurred_at < k.finish
        AND e.occurred_at >= date_trunc('hour', k.known_at, 'UTC')
    WHERE date_trunc('hour', k.known_at, 'UTC') < k.finish
)
SELECT number, event_name, bool_or(inside) FROM changes GROUP BY number, event_name;

-- name: hours_of_changes
-- The hours of a team in which something was recorded after a moment, and after they had passed.
SELECT hour FROM changed_hours WHERE team_id = %(team_id)s AND changed_at > %(since)s AND hour < %(end)s
UNION
SELECT hour FROM dirty_hours WHERE team_id = %(team_id)s AND recorded_at > %(since)s AND hour < %(end)s
UNION
SELECT date_trunc('hour', occurred_at, 'UTC') FROM usage_events
WHERE batch_id = ANY(%(tail)s::bigint[]) AND team_id = %(team_id)s AND recorded_at > %(since)s
  AND occurred_at < %(end)s;

-- name: causing_events
-- The events that came to count, or no longer count, by what was recorded after one moment and up to another. An
-- amendment takes one out and puts another in, and is told by the id of the first of them all, the origin. What
-- stands in the place of an event that was not known either is late.
SELECT e.id, CASE WHEN e.amends IS NULL OR EXISTS (
                      SELECT FROM event_identities i JOIN ingest_batches b ON b.id = i.batch_id
                      WHERE i.id = e.amends AND b.recorded_at > %(since)s)
                  THEN 'late' ELSE 'amended' END AS cause,
       e.occurred_at, e.recorded_at AS learned_at, e.value, true AS counts, coalesce(e.amends, e.id) AS origin
FROM ({events}) e
LEFT JOIN event_corrections c ON c.event_id = e.id AND c.recorded_at <= %(until)s
WHERE e.recorded_at > %(since)s AND e.recorded_at <= %(until)s AND c.event_id IS NULL
UNION ALL
SELECT e.id, CASE c.kind WHEN 'void' THEN 'voided' ELSE 'amended' END, e.occurred_at, c.recorded_at, e.value, false,
       coalesce(e.amends, e.id)
FROM ({events}) e
JOIN event_corrections c ON c.event_id = e.id AND c.recorded_at > %(since)s AND c.recorded_at <= %(until)s
WHERE e.recorded_at <= %(since)s;

-- name: count_causes
-- How many events were late, amended and voided.
SELECT cause, count(DISTINCT origin) FROM ({causes}) causes GROUP BY cause;

-- name: page_of_causes
-- A page of the events that changed usage, newest first.
SELECT id, cause, occurred_at, learned_at, value, counts
FROM ({causes}) e
WHERE {after}
ORDER BY occurred_at DESC, id DESC
LIMIT %(limit)s;

-- name: delete_marks
-- The hours that these marks named are right again.
DELETE FROM dirty_hours WHERE id = ANY(%(marks)s);

-- name: mark_rolled_up
-- These batches are in the roll-ups now.
UPDATE ingest_batches SET rolled_up_at = %(now)s WHERE id = ANY(%(batches)s) AND rolled_up_at IS NULL;

-- name: teams_of_batches
-- The teams that have events in these batches, and whether any of those is voided.
SELECT e.team_id, bool_or(c.event_id IS NOT NULL)
FROM usage_events e LEFT JOIN event_corrections c ON c.event_id = e.id
WHERE e.batch_id = ANY(%(batches)s::bigint[])
GROUP BY e.team_id;

-- name: teams_of_range
-- The teams that a version has roll-ups of in an interval.
SELECT DISTINCT team_id FROM usage_aggregates
WHERE metric_version_id = %(version)s AND period_start >= %(start)s AND period_start < %(end)s;

-- name: record_touched
-- Leave word that the usage of these teams was touched.
INSERT INTO rollup_touched (team_id, touched_at) SELECT unnest(%(teams)s::text[]), %(now)s;

-- name: announce
-- Tell whoever listens how many events were taken, once this is committed.
SELECT pg_notify('tallystick_live', jsonb_build_object('events', %(events)s::bigint)::text);

-- name: delete_range
-- Forget a version's roll-ups of an interval that is about to be backfilled.
DELETE FROM usage_aggregates
WHERE metric_version_id = %(version)s AND period_start >= %(start)s AND period_start < %(end)s;

-- name: delete_value_range
-- Forget a version's values of an interval that is about to be backfilled.
DELETE FROM usage_aggregate_values
WHERE metric_version_id = %(version)s AND period_start >= %(start)s AND period_start < %(end)s;

-- name: set_rolled_until
-- A version's roll-ups are complete for the hours before this instant.
UPDATE metric_versions SET rolled_until = %(rolled_until)s WHERE id = %(version)s;

-- name: rollup_totals
-- Roll-ups of whole buckets, added up per team, window and the dimensions asked for.
SELECT a.team_id, width_bucket(a.period_start, %(bounds)s::timestamptz[]) AS place, {slot} AS slot,
       {dimensions} AS dimensions,
       sum(a.events), sum(a.unvalued), sum(a.total), min(a.minimum), max(a.maximum), sum(a.moment),
       NULL, NULL, NULL, max(a.latest_at), NULL, NULL
FROM usage_aggregates a
WHERE a.team_id = ANY(%(teams)s::text[]) AND {rolled} AND {matching}
GROUP BY 1, 2, 3, 4;

-- name: rollup_ordered
-- Roll-ups whose order matters, bucket by bucket.
SELECT a.team_id, width_bucket(a.period_start, %(bounds)s::timestamptz[]) AS place, {dimensions} AS dimensions,
       a.events, a.unvalued, a.area, a.first_at, a.latest, a.latest_at, a.latest_batch, a.latest_position
FROM usage_aggregates a
WHERE a.team_id = ANY(%(teams)s::text[]) AND {rolled} AND {matching};

-- name: chained
-- Pieces per team, window and dimensions, joined in the order of time: between two that don't overlap, the
-- earlier one's last level holds. Only levels have an area that means anything.
SELECT team_id, place, NULL, dimensions, sum(events), sum(unvalued), NULL, NULL, NULL, NULL,
       sum(coalesce(area, 0) + coalesce(latest * extract(epoch FROM following - latest_at), 0)),
       min(first_at), max(latest) FILTER (WHERE last), max(latest_at) FILTER (WHERE last),
       max(latest_batch) FILTER (WHERE last), max(latest_position) FILTER (WHERE last)
FROM (
    SELECT *, lead(first_at) OVER (PARTITION BY team_id, place, dimensions, first_at IS NULL
                                   ORDER BY first_at, latest_at) AS following,
           latest_at IS NOT NULL AND row_number() OVER (
               PARTITION BY team_id, place, dimensions
               ORDER BY latest_at DESC NULLS LAST, latest_batch DESC, latest_position DESC) = 1 AS last
    FROM ({pieces}) pieces
) followed
GROUP BY team_id, place, dimensions;

-- name: ordered_pieces
-- Of partials of raw events the columns that roll-ups whose order matters have.
SELECT team_id, place, grouped AS dimensions, events, unvalued, area, first_at, latest, latest_at, latest_batch, latest_position
FROM ({partials}) partials;

-- name: rollup_opening
-- The last level known before an instant, per team and dimensions. It hops from one series to the next and takes
-- the last bucket of each, so that a long history costs nothing.
WITH RECURSIVE series (team_id, dimensions) AS (
    SELECT t.team_id, (SELECT min(a.dimensions) FROM usage_aggregates a
                       WHERE a.metric_version_id = %(version)s AND a.team_id = t.team_id AND a.first_at IS NOT NULL)
    FROM unnest(%(teams)s::text[]) AS t (team_id)
    UNION ALL
    SELECT s.team_id, (SELECT min(a.dimensions) FROM usage_aggregates a
                       WHERE a.metric_version_id = %(version)s AND a.team_id = s.team_id AND a.first_at IS NOT NULL
                         AND a.dimensions > s.dimensions)
    FROM series s WHERE s.dimensions IS NOT NULL
)
SELECT s.team_id, {dimensions}, l.latest, l.latest_at, l.latest_batch, l.latest_position
FROM series s
CROSS JOIN LATERAL (
    SELECT a.dimensions, a.latest, a.latest_at, a.latest_batch, a.latest_position
    FROM usage_aggregates a
    WHERE a.team_id = s.team_id AND a.dimensions = s.dimensions AND a.first_at IS NOT NULL AND {rolled} AND {matching}
    ORDER BY a.period_start DESC
    LIMIT 1
) l;

-- name: rollup_values
-- The values of whole buckets per team, window and the dimensions asked for.
SELECT a.team_id, width_bucket(a.period_start, %(bounds)s::timestamptz[]) AS place, {dimensions} AS dimensions,
       a.value, {occurrences}
FROM usage_aggregate_values a
WHERE a.team_id = ANY(%(teams)s::text[]) AND {rolled} AND {matching}
GROUP BY 1, 2, 3, 4;

-- name: raw_values
-- The values of raw events per team, window and the dimensions asked for.
SELECT team_id, place, grouped, member, count(*)
FROM (SELECT *, {columns} FROM ({events}) counted) placed
WHERE member IS NOT NULL AND {matching}
GROUP BY 1, 2, 3, 4;

-- name: raw_amounts
-- The value of every single event, per team, window and the dimensions asked for, in the order of time.
SELECT team_id, place, grouped, array_agg(trim_scale(value) ORDER BY occurred_at, batch_id, position)
FROM (SELECT *, {columns} FROM ({events}) e WHERE e.value IS NOT NULL AND {matching}) placed
GROUP BY 1, 2, 3;

-- name: level_peaks
-- The highest level after the changes of an instant, per team, window and the dimensions asked for, and the
-- sum of the window's changes. Levels count from what they were before the first window.
SELECT team_id, place, grouped, max(level), min(occurred_at), sum(change)
FROM (
    SELECT *, sum(change) OVER (PARTITION BY team_id, grouped ORDER BY occurred_at) AS level
    FROM (SELECT e.team_id, e.occurred_at, {columns}, {change} AS change
          FROM ({events}) e {openings}
          WHERE e.value IS NOT NULL AND {matching}) changes
) steps
GROUP BY 1, 2, 3;

-- name: unvalued
-- Which metrics find no value in events of which teams.
SELECT v.metric, a.team_id, sum(a.unvalued)::bigint, sum(a.events)::bigint
FROM usage_aggregates a
JOIN metric_versions v ON v.id = a.metric_version_id AND v.superseded_at IS NULL
WHERE a.period_start >= %(start)s AND a.period_start < %(end)s
  AND (%(team_id)s::text IS NULL OR a.team_id = %(team_id)s)
GROUP BY v.metric, a.team_id
HAVING sum(a.unvalued) > 0
ORDER BY 3 DESC, 1, 2
LIMIT %(limit)s;

-- name: rolled_until
-- How far the roll-ups of metric versions are complete: no end is NULL, not begun is the year 2000. Of a version
-- that ends, no further than that; it may have been known to end later.
SELECT id, nullif(greatest(least(rolled_until, date_trunc('hour', effective_to, 'UTC')), '2000-01-01Z'), 'infinity')
FROM metric_versions WHERE id = ANY(%(versions)s);

-- name: lock_rollup
-- One roll-up, backfill or change of the catalogue at a time; held by the session.
SELECT pg_advisory_lock(7461001);

-- name: unlock_rollup
-- Let the next one in.
SELECT pg_advisory_unlock(7461001);

-- name: batch
-- When a batch was recorded, and when it was rolled up, if it was.
SELECT recorded_at, rolled_up_at FROM ingest_batches WHERE id = %(batch)s;

-- name: is_dirty
-- Whether an hour of a team waits to be recomputed.
SELECT EXISTS (SELECT FROM dirty_hours WHERE team_id = %(team_id)s AND hour = date_trunc('hour', %(at)s::timestamptz, 'UTC'));

-- name: counted_event
-- What one event is worth to a metric version: the version's own statement, of that event alone.
SELECT date_bin(%(bucket)s::interval, occurred_at, '2000-01-01Z'), dimensions, value, member FROM ({events}) counted;

-- name: bucket
-- The roll-up that an event went into.
SELECT period_start, period_end, events, total FROM usage_aggregates
WHERE metric_version_id = %(version)s AND team_id = %(team_id)s AND period_start = %(bucket_start)s
  AND dimensions = %(dimensions)s::text[];

-- name: mark
-- What this snapshot sees, to go on from.
SELECT pg_current_snapshot()::text;

-- name: arrived
-- What this snapshot sees, and what an earlier one did not: batches (so many at most), corrected events, and whose
-- events the batches hold, of those that happened in an interval.
WITH fresh AS MATERIALIZED (
    SELECT b.id FROM ingest_batches b
    WHERE b.xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot) AND NOT pg_visible_in_snapshot(b.xid, %(mark)s::pg_snapshot)
    LIMIT %(most)s
)
SELECT pg_current_snapshot()::text, array(SELECT id FROM fresh), array(
    SELECT c.event_id FROM event_corrections c
    WHERE c.xid >= pg_snapshot_xmin(%(mark)s::pg_snapshot) AND NOT pg_visible_in_snapshot(c.xid, %(mark)s::pg_snapshot)
), array(
    SELECT DISTINCT e.team_id FROM usage_events e
    WHERE e.batch_id = ANY(array(SELECT id FROM fresh)) AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
);

-- name: teams_of_events
-- Whose these events are.
SELECT DISTINCT e.team_id FROM (SELECT * FROM event_identities WHERE id = ANY(%(ids)s) OFFSET 0) i
JOIN usage_events e ON e.occurred_at = i.occurred_at AND e.batch_id = i.batch_id AND e.id = i.id;

-- name: arrived_sums
-- What events of some batches add to the usage of one metric version, per team that has any.
SELECT {number}, team_id, coalesce(sum(value), 0) FROM ({events}) counted GROUP BY team_id;
