-- name: listen
-- Hear what roll-ups and alerts tell.
LISTEN tallystick_live;

-- name: last_transition
-- The number of the newest change of an alert's state.
SELECT coalesce(max(id), 0) FROM usage_alert_history;

-- name: transitions_after
-- Changes of alerts' states since a number, oldest first.
SELECT h.id, h.team_id, h.alert_id, a.name, s.position, h.to_state, h.known_at, h.value, h.limit_value, h.unit
FROM usage_alert_history h
JOIN usage_alerts a ON a.id = h.alert_id
JOIN usage_alert_steps s ON s.id = h.step_id
WHERE h.id > %(after)s
ORDER BY h.id
LIMIT %(limit)s;
