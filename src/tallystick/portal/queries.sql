-- name: insert_key
-- Add a key to sign with.
INSERT INTO portal_signing_keys (id, secret, created_at) VALUES (%(id)s, %(secret)s, %(now)s);

-- name: lock_keys
-- Let one process at a time find out that there is no key.
LOCK TABLE portal_signing_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: newest_key
-- The key that signs.
SELECT id, secret FROM portal_signing_keys WHERE revoked_at IS NULL ORDER BY number DESC LIMIT 1;

-- name: list_keys
-- Every key, newest first, with until when tokens that it signed are good.
SELECT k.id, k.created_at, k.revoked_at, (SELECT max(t.expires_at) FROM portal_tokens t WHERE t.key_id = k.id)
FROM portal_signing_keys k ORDER BY k.number DESC LIMIT %(limit)s;

-- name: revoke_keys
-- Believe nothing any more that a key signed.
UPDATE portal_signing_keys SET revoked_at = coalesce(revoked_at, %(now)s)
WHERE id = ANY(%(ids)s) RETURNING id;

-- name: other_keys
-- All keys but one.
SELECT id FROM portal_signing_keys WHERE id <> %(id)s AND revoked_at IS NULL;

-- name: believed_keys
-- The keys whose signatures are believed.
SELECT id, secret FROM portal_signing_keys WHERE revoked_at IS NULL;

-- name: revoked_tokens
-- Tokens that are refused before they expire.
SELECT id FROM portal_tokens WHERE revoked_at IS NOT NULL AND expires_at > %(now)s;

-- name: insert_token
-- Write down a token that is given out.
INSERT INTO portal_tokens (id, key_id, team_id, scopes, created_by, created_at, expires_at)
VALUES (%(id)s, %(key_id)s, %(team_id)s, %(scopes)s, %(created_by)s, %(created_at)s, %(expires_at)s);

-- name: list_tokens
-- Tokens in the order in which they were given out, after a position; of a team or all.
SELECT id, key_id, team_id, scopes, created_by, created_at, expires_at, revoked_at
FROM portal_tokens
WHERE (created_at, id) > (%(created_at)s, %(id)s) AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s)
ORDER BY created_at, id
LIMIT %(limit)s;

-- name: revoke_token
-- Refuse a token from now on; one that is revoked already keeps its instant.
UPDATE portal_tokens SET revoked_at = coalesce(revoked_at, %(now)s) WHERE id = %(id)s RETURNING id;

-- name: forget_tokens
-- Tokens that expired long ago are not listed any more.
DELETE FROM portal_tokens WHERE id IN (SELECT id FROM portal_tokens WHERE expires_at < %(before)s LIMIT 1000);

-- name: role_exists
-- Whether there is a role.
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s);

-- name: is_harmless
-- Whether a role can neither log in nor get around row-level security, and is a member of nothing that could.
SELECT NOT (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole)
       AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
       AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
FROM pg_roles r WHERE rolname = %(role)s;

-- name: readable
-- The tables with a policy that shows a team its rows, and those that say nothing of any team.
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
  AND (EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'portal')
       OR c.relname = ANY(%(common)s));
