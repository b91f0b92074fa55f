-- name: metric_versions
-- Every metric version in force, with unbounded ends as NULL.
SELECT id, definition, nullif(effective_from, '-infinity'), nullif(effective_to, 'infinity')
FROM metric_versions
WHERE superseded_at IS NULL
ORDER BY metric, effective_from;

-- name: metric_versions_as_known
-- Every metric version that was in force at a moment, as far as it was recorded by then.
WITH known AS (
    SELECT v.id, v.metric, v.definition, v.effective_from,
           coalesce((SELECT e.effective_to FROM metric_version_ends e
                     WHERE e.metric_version_id = v.id AND e.replaced_at > %(known_at)s
                     ORDER BY e.replaced_at LIMIT 1), v.effective_to) AS effective_to
    FROM metric_versions v
    WHERE v.recorded_at <= %(known_at)s AND (v.superseded_at IS NULL OR v.superseded_at > %(known_at)s)
)
SELECT id, definition, nullif(effective_from, '-infinity'), nullif(effective_to, 'infinity')
FROM known
ORDER BY metric, known.effective_from;

-- name: metric_changes
-- When metric versions were recorded, superseded or bounded anew after an instant, oldest first.
SELECT recorded_at FROM metric_versions WHERE recorded_at > %(since)s
UNION
SELECT superseded_at FROM metric_versions WHERE superseded_at > %(since)s
UNION
SELECT replaced_at FROM metric_version_ends WHERE replaced_at > %(since)s
ORDER BY 1;

-- name: hold_seal
-- From here until the transaction ends nothing can be sealed.
SELECT pg_advisory_xact_lock_shared(7461003);

-- name: recording_at
-- When what is written now is recorded: now, or right after what is sealed.
SELECT greatest(%(now)s, sealed_until + interval '1 microsecond') FROM usage_seal;

-- name: catalogue_revision
-- Which revision of the catalogue is in force.
SELECT coalesce(max(id), 0) FROM catalogue_revisions;

-- name: known_teams
-- Which of these teams exist.
SELECT id FROM teams WHERE id = ANY(%(teams)s);
