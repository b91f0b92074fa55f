-- name: find_recipient
-- How a team wants to be addressed.
SELECT name, address, tax_id, email, reference, locale FROM invoice_recipients WHERE team_id = %(team_id)s;

-- name: save_recipient
-- Keep how a team wants to be addressed from now on.
INSERT INTO invoice_recipients (team_id, name, address, tax_id, email, reference, locale, updated_at)
VALUES (%(team_id)s, %(name)s, %(address)s, %(tax_id)s, %(email)s, %(reference)s, %(locale)s, %(now)s)
ON CONFLICT (team_id) DO UPDATE
SET name = excluded.name, address = excluded.address, tax_id = excluded.tax_id, email = excluded.email,
    reference = excluded.reference, locale = excluded.locale, updated_at = excluded.updated_at;

-- name: grant_names
-- What credit grants are called.
SELECT id, name FROM credit_grants WHERE id = ANY(%(ids)s);

-- name: corrected
-- The periods of statements, and the number and date of the document each is billed on.
SELECT p.id, p.period_start, p.period_end, i.number, i.issued_on
FROM metered_billing_periods p
LEFT JOIN invoices i ON i.period_id = p.id AND i.credits_invoice_id IS NULL AND i.status IN ('final', 'paid')
WHERE p.id = ANY(%(ids)s);

-- name: insert_draft
-- Make the draft that bills a statement, unless there is a document that does.
INSERT INTO invoices (kind, status, team_id, period_id, entity, currency, subtotal, credits, tax, due, content, created_at)
VALUES (%(kind)s, 'draft', %(team_id)s, %(period_id)s, %(entity)s, %(currency)s, %(subtotal)s, %(credits)s, %(tax)s,
        %(due)s, %(content)s, %(now)s)
ON CONFLICT (period_id) WHERE credits_invoice_id IS NULL AND status <> 'void' DO NOTHING
RETURNING id;

-- name: insert_credit_note
-- Make a credit note of an invoice: a draft that is finalised in the same transaction.
INSERT INTO invoices (kind, status, team_id, period_id, credits_invoice_id, request_key, entity, currency, subtotal,
                      credits, tax, due, content, created_at)
SELECT %(kind)s, 'draft', i.team_id, i.period_id, i.id, %(request_key)s, i.entity, i.currency, %(subtotal)s, %(credits)s,
       %(tax)s, %(due)s, %(content)s, %(now)s
FROM invoices i WHERE i.id = %(invoice_id)s
RETURNING id;

-- name: redraft
-- Make a draft anew.
UPDATE invoices
SET kind = %(kind)s, entity = %(entity)s, currency = %(currency)s, subtotal = %(subtotal)s, credits = %(credits)s,
    tax = %(tax)s, due = %(due)s, content = %(content)s
WHERE id = %(id)s;

-- name: next_number
-- The next number of a series, which is locked until the transaction ends: a rollback gives it back.
INSERT INTO invoice_counters AS counter (entity, series, last) VALUES (%(entity)s, %(series)s, 1)
ON CONFLICT (entity, series) DO UPDATE SET last = counter.last + 1
RETURNING last;

-- name: finalize
-- Give a draft its number, and freeze it.
UPDATE invoices
SET status = 'final', kind = %(kind)s, entity = %(entity)s, series = %(series)s, sequence = %(sequence)s,
    number = %(number)s, currency = %(currency)s, subtotal = %(subtotal)s, credits = %(credits)s, tax = %(tax)s,
    due = %(due)s, content = %(content)s, digest = %(digest)s, issued_on = %(issued_on)s, due_on = %(due_on)s,
    finalized_at = %(now)s
WHERE id = %(id)s;

-- name: pay
-- A final document is paid.
UPDATE invoices SET status = 'paid', paid_at = %(at)s WHERE id = %(id)s;

-- name: void
-- A final document is taken back.
UPDATE invoices SET status = 'void', voided_at = %(at)s WHERE id = %(id)s;

-- name: discard
-- Throw a draft away.
DELETE FROM invoices WHERE id = %(id)s;

-- name: mark_statement
-- What has become of a statement by what became of its invoice.
UPDATE metered_billing_periods SET status = %(status)s WHERE id = %(period_id)s AND status <> 'void';

-- name: find
-- One document.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices WHERE id = %(id)s;

-- name: lock
-- One document, which nobody else changes until the transaction ends.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices WHERE id = %(id)s FOR UPDATE;

-- name: of_statement
-- The document that bills a statement.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices WHERE period_id = %(period_id)s AND credits_invoice_id IS NULL AND status <> 'void';

-- name: credit_notes
-- The credit notes of an invoice, in the order of their numbers.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices WHERE credits_invoice_id = %(invoice_id)s ORDER BY id;

-- name: find_request
-- The credit note of an invoice that a request with this key made.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices WHERE credits_invoice_id = %(invoice_id)s AND request_key = %(request_key)s;

-- name: list
-- Documents, the newest first, before a position; null filters nothing.
SELECT id, status, period_id, credits_invoice_id, content, digest, created_at, finalized_at, paid_at, voided_at
FROM invoices
WHERE id < %(before)s AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s)
  AND (%(status)s::text IS NULL OR status = %(status)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(number)s::text IS NULL OR number = %(number)s) AND (%(period_id)s::bigint IS NULL OR period_id = %(period_id)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: to_invoice
-- Closed statements that are not invoiced yet, in the order in which they were made, after a position.
SELECT id FROM metered_billing_periods
WHERE status = 'closed' AND id > %(after)s AND (%(team_id)s::text IS NULL OR team_id = %(team_id)s)
ORDER BY id
LIMIT %(limit)s;
