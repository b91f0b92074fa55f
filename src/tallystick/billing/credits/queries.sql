-- name: insert_grant
-- Record a grant, unless its team has one with the same reference.
INSERT INTO credit_grants (team_id, name, kind, priority, amount, currency, metric, metrics, effective_at, expires_at,
                           recurs_unit, recurs_every, anchor, time_zone, rollover, reference, created_at,
                           settled_until, due_at)
VALUES (%(team_id)s, %(name)s, %(kind)s, %(priority)s, %(amount)s, %(currency)s, %(metric)s, %(metrics)s,
        %(effective_at)s, coalesce(%(expires_at)s, 'infinity'::timestamptz), %(recurs_unit)s, %(recurs_every)s,
        %(anchor)s, %(time_zone)s, %(rollover)s, %(reference)s, %(created_at)s, %(effective_at)s, 'infinity')
ON CONFLICT (team_id, reference) DO NOTHING
RETURNING id;

-- name: grants
-- A page of grants by id, of one team or of all.
SELECT {grant} FROM credit_grants g
WHERE g.id > %(after)s AND (%(team_id)s::text IS NULL OR g.team_id = %(team_id)s)
ORDER BY g.id
LIMIT %(limit)s;

-- name: find_grant
-- One grant.
SELECT {grant} FROM credit_grants g WHERE g.id = %(id)s;

-- name: find_reference
-- The grant of a team with this reference.
SELECT {grant} FROM credit_grants g WHERE g.team_id = %(team_id)s AND g.reference = %(reference)s;

-- name: lock_grants
-- Grants by id, whose ledger nobody else changes until the transaction ends.
SELECT {grant} FROM credit_grants g WHERE g.id = ANY(%(ids)s) ORDER BY g.id FOR UPDATE;

-- name: lock_grants_of_periods
-- The grants that may pay for some of these billing periods, locked.
SELECT {grant} FROM credit_grants g
WHERE g.team_id = ANY(%(team_ids)s) AND g.voided_at IS NULL AND EXISTS (
    SELECT FROM metered_billing_periods p
    WHERE p.id = ANY(%(period_ids)s) AND p.team_id = g.team_id
      AND g.effective_at < p.period_end AND g.expires_at > p.period_start)
ORDER BY g.id
FOR UPDATE OF g;

-- name: lock_due_grants
-- Grants of which something is to be booked, locked, and up to when: not beyond the team's first period that
-- is still to be closed, because what is burned for that comes first.
SELECT {grant}, horizon.until FROM credit_grants g
CROSS JOIN LATERAL (
    SELECT coalesce(max(p.period_end), '-infinity') AS until FROM metered_billing_periods p
    WHERE p.team_id = g.team_id AND p.status NOT IN ('active', 'closing', 'void')
) billed
CROSS JOIN LATERAL (
    SELECT least(%(now)s, min(greatest(s.starts_at, billed.until))) AS until FROM subscriptions s
    WHERE s.team_id = g.team_id AND s.ends_at > billed.until
) horizon
WHERE g.due_at <= horizon.until
ORDER BY g.due_at, g.id
LIMIT %(limit)s
FOR UPDATE OF g SKIP LOCKED;

-- name: grants_in_force
-- What a team's grants were, as known at a moment, that may pay for an interval.
SELECT {grant} FROM credit_grants g
WHERE g.team_id = %(team_id)s AND g.effective_at < %(end)s AND g.expires_at > %(start)s
  AND g.created_at <= %(known_at)s AND (g.voided_at IS NULL OR g.voided_at > %(known_at)s)
ORDER BY g.id;

-- name: settle_grants
-- How far grants are booked, and when something is next to be booked of them.
UPDATE credit_grants g SET settled_until = s.until, due_at = coalesce(s.due_at, 'infinity')
FROM unnest(%(ids)s::bigint[], %(untils)s::timestamptz[], %(due)s::timestamptz[]) AS s (id, until, due_at)
WHERE g.id = s.id;

-- name: void_grant
-- Void what is left of a grant.
UPDATE credit_grants SET voided_at = %(at)s, void_reason = %(reason)s WHERE id = %(id)s;

-- name: periods
-- The bounds of billing periods.
SELECT id, period_start, period_end FROM metered_billing_periods WHERE id = ANY(%(ids)s);

-- name: applications
-- The burns and reversals of billing periods, oldest first, with the transactions that each is made of.
SELECT period_id, kind, application, min(team_id), array_agg(id ORDER BY part) FROM credit_transactions
WHERE period_id = ANY(%(period_ids)s)
GROUP BY period_id, kind, application
ORDER BY period_id, application, kind;

-- name: balances
-- Of each grant, from an allotment on: what is used, and the sum of all accounts, which is what came over.
SELECT a.grant_id, a.allotment, coalesce(sum(a.balance) FILTER (WHERE a.account = 'used'), 0), sum(a.balance)
FROM unnest(%(ids)s::bigint[], %(firsts)s::integer[]) AS wanted (grant_id, first)
JOIN credit_accounts a ON a.grant_id = wanted.grant_id AND a.allotment >= wanted.first
GROUP BY a.grant_id, a.allotment;

-- name: used
-- What was used of grants' allotments by a moment, as recorded by another; null: ever.
SELECT e.grant_id, e.allotment, sum(e.amount)
FROM credit_entries e JOIN credit_transactions t ON t.id = e.transaction_id
WHERE e.grant_id = ANY(%(ids)s) AND e.account = 'used'
  AND t.effective_at <= coalesce(%(effective_by)s, 'infinity'::timestamptz)
  AND t.recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
GROUP BY e.grant_id, e.allotment;

-- name: new_transaction_ids
-- Ids for transactions that are about to be booked.
SELECT nextval(pg_get_serial_sequence('credit_transactions', 'id')) FROM generate_series(1, %(count)s);

-- name: insert_transactions
-- Book transactions.
INSERT INTO credit_transactions (id, team_id, kind, period_id, application, part, effective_at, recorded_at, actor)
SELECT t.*, %(recorded_at)s, %(actor)s
FROM unnest(%(ids)s::bigint[], %(team_ids)s::text[], %(kinds)s::text[], %(period_ids)s::bigint[],
            %(applications)s::integer[], %(parts)s::integer[], %(effective)s::timestamptz[]) AS t;

-- name: insert_entries
-- Book the entries of transactions, all at once: no balance is seen between two of them.
INSERT INTO credit_entries (transaction_id, position, grant_id, allotment, account, amount, line_key, value, currency)
SELECT * FROM unnest(%(transactions)s::bigint[], %(positions)s::integer[], %(grants)s::bigint[],
                     %(allotments)s::integer[], %(accounts)s::text[], %(amounts)s::numeric[], %(lines)s::text[],
                     %(values)s::numeric[], %(currencies)s::text[]);

-- name: entries
-- The entries of transactions, in order.
SELECT transaction_id, grant_id, allotment, account, amount, line_key, value, currency FROM credit_entries
WHERE transaction_id = ANY(%(ids)s)
ORDER BY transaction_id, position;

-- name: burns
-- What grants paid of lines for billing periods, unless it was given back, in the order in which it burned.
SELECT t.period_id, e.grant_id, e.line_key, sum(e.value), sum(e.amount) FILTER (WHERE g.metric IS NOT NULL)
FROM credit_transactions t
JOIN credit_entries e ON e.transaction_id = t.id AND e.account = 'used'
JOIN credit_grants g ON g.id = e.grant_id
WHERE t.period_id = ANY(%(period_ids)s) AND t.kind = 'burn' AND NOT EXISTS (
    SELECT FROM credit_transactions r
    WHERE r.period_id = t.period_id AND r.kind = 'reversal' AND r.application = t.application)
GROUP BY t.period_id, e.grant_id, e.line_key
ORDER BY t.period_id, min(t.part), min(e.position);

-- name: ledger
-- A page of a team's transactions, newest first, of one grant or period or of all, without those that moved nothing.
SELECT t.id, t.kind, t.period_id, t.effective_at, t.recorded_at, t.actor FROM credit_transactions t
WHERE t.team_id = %(team_id)s AND t.id < %(before)s
  AND (%(period_id)s::bigint IS NULL OR t.period_id = %(period_id)s)
  AND EXISTS (
    SELECT FROM credit_entries e
    WHERE e.transaction_id = t.id AND (%(grant_id)s::bigint IS NULL OR e.grant_id = %(grant_id)s))
ORDER BY t.id DESC
LIMIT %(limit)s;

-- name: closed_period
-- The closed billing period of a subscription that begins at a moment.
SELECT id, currency FROM metered_billing_periods
WHERE subscription_id = %(subscription_id)s AND period_start = %(start)s AND kind = 'period'
  AND status IN ('closed', 'invoiced', 'paid');

-- name: metric_names
-- Every metric's name.
SELECT name FROM metrics ORDER BY name;
