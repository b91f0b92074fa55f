-- name: narrow
-- For the rest of the transaction, take on a role that is shown one team's rows.
SELECT set_config('role', %(role)s, true), set_config('tallystick.team_id', %(team_id)s, true);

-- name: half_blind
-- Whether row-level security hides rows from this user, and who owns the tables.
SELECT row_security_active('usage_events'), tableowner
FROM pg_tables WHERE schemaname = 'public' AND tablename = 'usage_events';
