-- Teams as customers of Stripe, their bills there, and what Stripe tells. The books are here: a bill is frozen first,
-- complete, and only then given to Stripe, step by step. No key, no card and no address is ever written.

------------------------------------------------------------------------------------------------------
-- Who is which customer
------------------------------------------------------------------------------------------------------

-- account           whose: the account's id and its mode, such as acct_1/test; another key may open another account
-- mode              invoice_items: bills are made here and collected there; meters: usage is told, and billed there
-- late_policy       what becomes of usage that is learned of when its period is billed
-- collection        whether a bill is charged, or sent to be paid
-- billed_from       periods that ended by then are none of Stripe's
-- customer_gone_at  since when the customer is deleted there
CREATE TABLE stripe_teams (
    team_id              text PRIMARY KEY REFERENCES teams (id),
    account              text NOT NULL,
    customer_id          text NOT NULL,
    mode                 text NOT NULL DEFAULT 'invoice_items' CHECK (mode IN ('invoice_items', 'meters')),
    late_policy          text NOT NULL DEFAULT 'next_period'
                         CHECK (late_policy IN ('next_period', 'invoice_item', 'write_off')),
    collection           text NOT NULL DEFAULT 'charge_automatically'
                         CHECK (collection IN ('charge_automatically', 'send_invoice')),
    billed_from          timestamptz NOT NULL,
    linked_at            timestamptz NOT NULL,
    customer_gone_at     timestamptz,
    subscription_id      text,
    subscription_status  text,
    UNIQUE (account, customer_id)
);

-- What becomes of corrections of a team's closed periods, where it is another than the billing file says.
CREATE TABLE team_late_usage (
    team_id     text PRIMARY KEY REFERENCES teams (id),
    late_usage  text NOT NULL CHECK (late_usage IN ('next_period', 'credit_note', 'ignore'))
);

------------------------------------------------------------------------------------------------------
-- Bills
------------------------------------------------------------------------------------------------------

-- reference        by which it is found again at Stripe; made of what it says
-- source           a closed statement, or a credit note of ours over an invoice that Stripe collects
-- document_id      the document of ours that it says the same as; null: Stripe's is the only one
-- kind             at Stripe: an invoice; a credit note; items that wait for the next invoice of a subscription
-- credits_bill_id  of a credit note, what it takes off
-- due              as our books say; total: the same in Stripe's minor units, which may have to be rounder
-- lines            frozen: what Stripe is given, amounts in minor units
-- state            planned; drafted: begun at Stripe; final; paid; void; uncollectible; nothing: nothing is due;
--                  released: given up, so that the statement can be billed anew
-- stripe_id        in_… or cn_…
-- key_number       of idempotency keys: raised when one will never have another answer than a failure
-- tried_at         when it was tried first; null: Stripe can't know of it
-- hold             why it waits for somebody; it is tried again at next_at all the same
CREATE TABLE stripe_bills (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference        text NOT NULL UNIQUE,
    account          text NOT NULL,
    team_id          text NOT NULL REFERENCES teams (id),
    customer_id      text NOT NULL,
    period_id        bigint NOT NULL REFERENCES metered_billing_periods (id),
    source           text NOT NULL CHECK (source IN ('statement', 'credit_note')),
    document_id      bigint REFERENCES invoices (id),
    kind             text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'items')),
    credits_bill_id  bigint REFERENCES stripe_bills (id),
    collection       text NOT NULL,
    days_until_due   integer NOT NULL,
    currency         text NOT NULL,
    due              numeric NOT NULL,
    total            bigint NOT NULL,
    title            text NOT NULL,
    lines            jsonb NOT NULL,
    planned_at       timestamptz NOT NULL,
    state            text NOT NULL CHECK (state IN
                     ('planned', 'drafted', 'final', 'paid', 'void', 'uncollectible', 'nothing', 'released')),
    stripe_id        text,
    number           text,
    key_number       integer NOT NULL DEFAULT 0,
    attempts         integer NOT NULL DEFAULT 0,
    tried_at         timestamptz,
    failures         integer NOT NULL DEFAULT 0,
    next_at          timestamptz,
    leased_until     timestamptz,
    lease            text,
    hold             text,
    held_since       timestamptz,
    checked_at       timestamptz,
    settled_at       timestamptz,
    CHECK ((source = 'credit_note') <= (document_id IS NOT NULL AND credits_bill_id IS NOT NULL)),
    CHECK (kind <> 'credit_note' OR credits_bill_id IS NOT NULL)
);
-- A statement is billed once, and so is a credit note.
CREATE UNIQUE INDEX stripe_bills_once ON stripe_bills (period_id) WHERE source = 'statement' AND state <> 'released';
CREATE UNIQUE INDEX stripe_bills_credited_once ON stripe_bills (document_id)
    WHERE source = 'credit_note' AND state <> 'released';
CREATE UNIQUE INDEX stripe_bills_stripe_id ON stripe_bills (account, stripe_id) WHERE stripe_id IS NOT NULL;
CREATE INDEX stripe_bills_due ON stripe_bills (account, next_at) WHERE state IN ('planned', 'drafted');
CREATE INDEX stripe_bills_open ON stripe_bills (account, checked_at) WHERE state IN ('final', 'uncollectible');
CREATE INDEX stripe_bills_team ON stripe_bills (team_id, id);

-- What was decided to be billed stays as it was decided.
CREATE FUNCTION refuse_change_of_stripe_bill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Stripe bill % can''t be changed', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stripe_bills_are_final BEFORE DELETE OR UPDATE OF
    reference, account, team_id, customer_id, period_id, source, document_id, currency, due, total, lines, planned_at
    ON stripe_bills FOR EACH ROW EXECUTE FUNCTION refuse_change_of_stripe_bill();

------------------------------------------------------------------------------------------------------
-- What Stripe tells
------------------------------------------------------------------------------------------------------

-- Only that something happened, and to what: the thing itself is asked for when it is looked at, because the order in
-- which this comes says nothing.
CREATE TABLE stripe_events (
    id            text PRIMARY KEY,
    type          text NOT NULL,
    object_id     text,
    live          boolean NOT NULL,
    thin          boolean NOT NULL,
    happened_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    next_at       timestamptz,
    leased_until  timestamptz,
    processed_at  timestamptz,
    outcome       text
);
CREATE INDEX stripe_events_due ON stripe_events (next_at) WHERE processed_at IS NULL;
