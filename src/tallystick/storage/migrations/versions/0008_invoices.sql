-- Invoices and credit notes: drafts that can be thrown away, then documents with a number that never change.

------------------------------------------------------------------------------------------------------
-- To whom
------------------------------------------------------------------------------------------------------

-- How a team is addressed on its documents; a team without a row by its name.
CREATE TABLE invoice_recipients (
    team_id     text PRIMARY KEY REFERENCES teams (id),
    name        text NOT NULL,
    address     text[] NOT NULL DEFAULT '{}',
    tax_id      text NOT NULL DEFAULT '',
    email       text NOT NULL DEFAULT '',
    reference   text NOT NULL DEFAULT '',
    locale      text,
    updated_at  timestamptz NOT NULL
);

------------------------------------------------------------------------------------------------------
-- Numbers
------------------------------------------------------------------------------------------------------

-- The last number of each series. Its row is locked by whoever takes the next one until that document is
-- committed; a rollback gives the number back.
CREATE TABLE invoice_counters (
    entity  text NOT NULL,
    series  text NOT NULL,
    last    bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (entity, series)
);

CREATE FUNCTION invoice_counters_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.last = 1 THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.entity, NEW.series, NEW.last) = (OLD.entity, OLD.series, OLD.last + 1) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'invoice numbers are counted one by one' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER invoice_counters_count BEFORE INSERT OR UPDATE OR DELETE ON invoice_counters
    FOR EACH ROW EXECUTE FUNCTION invoice_counters_count();

------------------------------------------------------------------------------------------------------
-- Documents
------------------------------------------------------------------------------------------------------

-- period_id           the closed statement that is billed or given back
-- credits_invoice_id  of a credit note made from an invoice, that invoice; null: it bills the statement itself
-- request_key         the caller's own name for a credit note, by which a repeated request is known
-- entity, series, sequence, number   who writes it, what it is counted in, its place there, and how that is written
-- content             everything the document says; digest: SHA-256 over it, in hexadecimal
CREATE TABLE invoices (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind                text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    status              text NOT NULL CHECK (status IN ('draft', 'final', 'paid', 'void')),
    team_id             text NOT NULL REFERENCES teams (id),
    period_id           bigint NOT NULL REFERENCES metered_billing_periods (id),
    credits_invoice_id  bigint REFERENCES invoices (id),
    request_key         text,
    entity              text NOT NULL,
    series              text,
    sequence            bigint CHECK (sequence > 0),
    follows             bigint GENERATED ALWAYS AS (nullif(sequence - 1, 0)) STORED,
    number              text,
    currency            text NOT NULL,
    subtotal            numeric NOT NULL,
    credits             numeric NOT NULL,
    tax                 numeric NOT NULL,
    due                 numeric NOT NULL,
    content             jsonb NOT NULL,
    digest              text,
    issued_on           date,
    due_on              date,
    created_at          timestamptz NOT NULL,
    finalized_at        timestamptz,
    paid_at             timestamptz,
    voided_at           timestamptz,
    UNIQUE (entity, series, sequence),
    UNIQUE (entity, number),
    UNIQUE (credits_invoice_id, request_key),
    -- No gaps: a number can't be without the one before it.
    CONSTRAINT invoices_have_no_gaps FOREIGN KEY (entity, series, follows) REFERENCES invoices (entity, series, sequence),
    CONSTRAINT invoices_add_up CHECK (due = subtotal - credits + tax),
    CHECK (num_nulls(series, sequence, number, digest, issued_on, finalized_at) = CASE status WHEN 'draft' THEN 6 ELSE 0 END),
    CHECK (status <> 'paid' OR paid_at IS NOT NULL),
    CHECK ((status = 'void') = (voided_at IS NOT NULL)),
    CHECK (request_key IS NULL OR credits_invoice_id IS NOT NULL)
);
-- A statement is billed once: another document needs the first to be void.
CREATE UNIQUE INDEX invoices_once ON invoices (period_id) WHERE credits_invoice_id IS NULL AND status <> 'void';
CREATE INDEX invoices_team ON invoices (team_id, id);
CREATE INDEX invoices_credited ON invoices (credits_invoice_id) WHERE credits_invoice_id IS NOT NULL;

-- Once final, a document can be paid and made void; nothing else of it ever changes, and it stays. (`follows` is
-- computed after this trigger, from what may not change.)
CREATE FUNCTION invoices_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changeable CONSTANT text[] := '{status,paid_at,voided_at,follows}';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'invoices are kept' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE'
       AND to_jsonb(NEW) - changeable = to_jsonb(OLD) - changeable
       AND (OLD.status, NEW.status) IN (('final', 'paid'), ('final', 'void'), ('paid', 'void'))
       AND (OLD.paid_at IS NULL OR NEW.paid_at = OLD.paid_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'invoice % is final and can''t be changed', OLD.number USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER invoices_are_final BEFORE UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION invoices_are_final();
CREATE TRIGGER invoices_are_kept BEFORE TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_are_final();
