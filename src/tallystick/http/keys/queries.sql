-- name: insert_key
-- Add a key.
INSERT INTO api_keys (id, name, secret_hash, scopes, team_id, created_at)
VALUES (%(id)s, %(name)s, %(secret_hash)s, %(scopes)s, %(team_id)s, %(created_at)s);

-- name: lock_keys
-- Let one process at a time find out that there is no key yet.
LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: any_key
-- Whether there was ever a key, revoked ones included.
SELECT EXISTS (SELECT FROM api_keys);

-- name: find_key
-- One key, with the hash of its secret.
SELECT id, name, scopes, team_id, created_at, revoked_at, secret_hash FROM api_keys WHERE id = %(id)s;

-- name: list_keys
-- Keys in the order they were made, after a position.
SELECT id, name, scopes, team_id, created_at, revoked_at
FROM api_keys
WHERE (created_at, id) > (%(created_at)s, %(id)s)
ORDER BY created_at, id
LIMIT %(limit)s;

-- name: revoke_key
-- Refuse a key from now on; one that is revoked already keeps its instant.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, %(revoked_at)s) WHERE id = %(id)s
RETURNING id, name, scopes, team_id, created_at, revoked_at;
