-- name: teams
-- Every team.
SELECT id FROM teams ORDER BY id;

-- name: metric_times
-- When each metric in force was first and last defined.
SELECT metric, min(recorded_at), max(recorded_at) FROM metric_versions WHERE superseded_at IS NULL GROUP BY metric;
