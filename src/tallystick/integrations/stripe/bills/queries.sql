-- name: to_bill
-- Closed statements that Stripe is to collect and that have no bill yet, oldest first. Of a team whose usage Stripe
-- bills itself only those that correct an earlier period, where late usage is charged as an item.
SELECT p.id
FROM stripe_teams s
JOIN metered_billing_periods p ON p.team_id = s.team_id
LEFT JOIN invoices i ON i.period_id = p.id AND i.credits_invoice_id IS NULL AND i.status <> 'void'
WHERE s.account = %(account)s AND s.customer_gone_at IS NULL AND p.digest IS NOT NULL
  AND (%(teams)s::text[] IS NULL OR s.team_id = ANY(%(teams)s))
  AND p.closed_at > s.billed_from AND (p.kind = 'correction' OR p.period_end > s.billed_from)
  AND CASE s.mode
      WHEN 'invoice_items' THEN p.status = 'closed' OR (p.status = 'invoiced' AND i.status = 'final')
      ELSE s.late_policy = 'invoice_item' AND p.status IN ('closed', 'invoiced', 'paid') AND EXISTS (
          SELECT FROM statement_lines l WHERE l.period_id = p.id AND l.adjusts_period_id IS NOT NULL)
      END
  AND NOT EXISTS (
      SELECT FROM stripe_bills b WHERE b.period_id = p.id AND b.source = 'statement' AND b.state <> 'released')
  AND p.id > %(after)s
ORDER BY p.id
LIMIT %(limit)s;

-- name: to_credit
-- Credit notes of ours over invoices that Stripe collects, that it does not know of yet, oldest first.
SELECT n.id
FROM stripe_bills b
JOIN invoices n ON n.credits_invoice_id = b.document_id AND n.status IN ('final', 'paid')
WHERE b.account = %(account)s AND b.source = 'statement' AND b.state IN ('final', 'paid', 'uncollectible')
  AND (%(teams)s::text[] IS NULL OR b.team_id = ANY(%(teams)s))
  AND NOT EXISTS (
      SELECT FROM stripe_bills c WHERE c.document_id = n.id AND c.source = 'credit_note' AND c.state <> 'released')
  AND n.id > %(after)s
ORDER BY n.id
LIMIT %(limit)s;

-- name: turns
-- How often a source was billed and given up.
SELECT count(*) FROM stripe_bills
WHERE source = %(source)s AND state = 'released'
  AND CASE source WHEN 'statement' THEN period_id ELSE document_id END = %(id)s;

-- name: freeze
-- Keep a bill, unless somebody else has.
INSERT INTO stripe_bills (reference, account, team_id, customer_id, period_id, source, document_id, kind,
    credits_bill_id, collection, days_until_due, currency, due, total, title, lines, state, planned_at, next_at)
VALUES (%(reference)s, %(account)s, %(team_id)s, %(customer_id)s, %(period_id)s, %(source)s, %(document_id)s, %(kind)s,
    %(credits_bill_id)s, %(collection)s, %(days_until_due)s, %(currency)s, %(due)s, %(total)s, %(title)s, %(lines)s,
    %(state)s, %(now)s, CASE WHEN %(state)s = 'planned' THEN %(now)s::timestamptz END)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: bill_of_statement
-- The bill of a statement that stands at Stripe.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills
WHERE account = %(account)s AND period_id = %(period_id)s AND source = 'statement' AND kind = 'invoice'
  AND state IN ('final', 'paid', 'uncollectible');

-- name: bill_of_document
-- The bill that says the same as a document of ours.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills WHERE account = %(account)s AND document_id = %(document_id)s AND state <> 'released';

-- name: find
-- One bill.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills WHERE id = %(id)s;

-- name: lock
-- One bill, which nobody else changes until the transaction ends.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills WHERE id = %(id)s FOR UPDATE;

-- name: find_by_stripe_id
-- The bill that is this at Stripe.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills WHERE account = %(account)s AND stripe_id = %(stripe_id)s;

-- name: page
-- Bills, the newest first.
SELECT id, reference, account, team_id, customer_id, period_id, source, document_id, kind, credits_bill_id, collection,
       days_until_due, currency, due, total, title, lines, planned_at, state, stripe_id, number, key_number, attempts,
       tried_at, failures, hold
FROM stripe_bills
WHERE id < %(before)s AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: claim
-- Take a bill whose time has come; nobody else takes it until it is given back, or the lease is over.
UPDATE stripe_bills SET lease = %(lease)s, leased_until = %(until)s
WHERE id = (
    SELECT id FROM stripe_bills
    WHERE account = %(account)s AND state IN ('planned', 'drafted') AND next_at <= %(now)s
      AND (leased_until IS NULL OR leased_until <= %(now)s)
      AND (%(teams)s::text[] IS NULL OR team_id = ANY(%(teams)s))
    ORDER BY next_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: claim_open
-- Take a bill that Stripe was not asked about for long.
UPDATE stripe_bills SET checked_at = %(now)s
WHERE id = (
    SELECT id FROM stripe_bills
    WHERE account = %(account)s AND state IN ('final', 'uncollectible') AND kind = 'invoice'
      AND coalesce(checked_at, planned_at) <= %(before)s
      AND (%(teams)s::text[] IS NULL OR team_id = ANY(%(teams)s))
    ORDER BY checked_at NULLS FIRST
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: trying
-- A bill is about to be tried: from here on Stripe may know of it.
UPDATE stripe_bills SET attempts = attempts + 1, tried_at = coalesce(tried_at, %(now)s) WHERE id = %(id)s;

-- name: drafted
-- A bill has its own at Stripe.
UPDATE stripe_bills SET stripe_id = %(stripe_id)s, state = 'drafted' WHERE id = %(id)s AND state IN ('planned', 'drafted');

-- name: become
-- A bill becomes something else at Stripe than was thought; before it was begun there.
UPDATE stripe_bills SET kind = %(kind)s, credits_bill_id = %(credits_bill_id)s WHERE id = %(id)s AND stripe_id IS NULL;

-- name: settle
-- Where a bill stands, as Stripe says. It waits for nobody any more.
UPDATE stripe_bills
SET state = %(state)s, stripe_id = coalesce(%(stripe_id)s, stripe_id), number = coalesce(%(number)s, number),
    settled_at = coalesce(settled_at, %(now)s), checked_at = %(now)s, next_at = NULL, lease = NULL, leased_until = NULL,
    failures = 0, hold = NULL, held_since = NULL
WHERE id = %(id)s AND state <> 'released';

-- name: put_off
-- A bill is tried again later; what it waits for, if for somebody.
UPDATE stripe_bills
SET next_at = %(next_at)s, failures = failures + 1, key_number = key_number + %(raise)s, lease = NULL,
    leased_until = NULL, hold = %(hold)s,
    held_since = CASE WHEN %(hold)s::text IS NOT NULL THEN coalesce(held_since, %(now)s) END
WHERE id = %(id)s AND lease = %(lease)s;

-- name: resume
-- Try at once what waits.
UPDATE stripe_bills SET next_at = %(now)s
WHERE account = %(account)s AND state IN ('planned', 'drafted') AND next_at > %(now)s
  AND (%(teams)s::text[] IS NULL OR team_id = ANY(%(teams)s));

-- name: release
-- A bill is given up.
UPDATE stripe_bills
SET state = 'released', next_at = NULL, lease = NULL, leased_until = NULL, hold = NULL, settled_at = %(now)s
WHERE id = %(id)s;

-- name: mark_period
-- What became of a statement at Stripe; null leaves its status.
UPDATE metered_billing_periods
SET stripe_invoice_id = %(stripe_id)s, status = coalesce(%(status)s, status)
WHERE id = %(period_id)s AND status <> 'void';

-- name: open_again
-- A statement can be billed again.
UPDATE metered_billing_periods SET stripe_invoice_id = NULL, status = 'closed'
WHERE id = %(period_id)s AND status IN ('invoiced', 'paid');

-- name: standing
-- How many bills of a team are in which state, and since when the oldest that waits does.
SELECT team_id, count(*) FILTER (WHERE state IN ('planned', 'drafted')),
       count(*) FILTER (WHERE state IN ('final', 'uncollectible')), count(*) FILTER (WHERE state = 'paid'),
       count(*) FILTER (WHERE hold IS NOT NULL), min(planned_at) FILTER (WHERE state IN ('planned', 'drafted')),
       min(hold)
FROM stripe_bills
WHERE %(teams)s::text[] IS NULL OR team_id = ANY(%(teams)s)
GROUP BY team_id ORDER BY team_id;

-- name: metered_statement
-- The closed statement of a team whose period an invoice of its subscription is for: most of it, at least.
SELECT id FROM metered_billing_periods
WHERE team_id = %(team_id)s AND kind = 'period' AND digest IS NOT NULL AND status <> 'void'
  AND 2 * (least(period_end, %(end)s::timestamptz) - greatest(period_start, %(start)s::timestamptz))
      > period_end - period_start
ORDER BY least(period_end, %(end)s::timestamptz) - greatest(period_start, %(start)s::timestamptz) DESC, id
LIMIT 1;
