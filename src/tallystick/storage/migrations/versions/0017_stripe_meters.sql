-- Usage leaves for Stripe's meters through an outbox. What was decided to be told is written here first, complete and
-- for good; only then is it sent. What became of it is written beside it. Nothing is ever deleted or restamped.

------------------------------------------------------------------------------------------------------
-- Which metric goes to which meter, and which price of the catalogue is which of Stripe's
------------------------------------------------------------------------------------------------------

-- account        whose: the account's id and its mode, such as acct_1/test; another key may open another account
-- *_key          the members of an event's payload that name the customer and the value
CREATE TABLE stripe_meters (
    account       text NOT NULL,
    metric        text NOT NULL,
    event_name    text NOT NULL CHECK (length(event_name) <= 100),
    meter_id      text NOT NULL,
    customer_key  text NOT NULL DEFAULT 'stripe_customer_id',
    value_key     text NOT NULL DEFAULT 'value',
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (account, metric),
    UNIQUE (account, event_name)
);

CREATE TABLE stripe_meter_prices (
    account     text NOT NULL,
    lookup_key  text NOT NULL,
    plan        text NOT NULL,
    price       text NOT NULL,
    stripe_id   text NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (account, lookup_key)
);

------------------------------------------------------------------------------------------------------
-- How far the usage of a team has been looked at
------------------------------------------------------------------------------------------------------

-- metered_from   usage before it is none of Stripe's
-- planned_until  windows up to here have been looked at, by what was known at known_at (a sealed instant)
-- last_edge      where the last billing period ended of which everything was looked at
-- next_edge      where the billing period ends that was running then: what is in it has to be told soon after
-- replan_from    windows from here on have to be looked at again, because something about the outbox has changed
CREATE TABLE stripe_metered_teams (
    team_id        text PRIMARY KEY REFERENCES teams (id),
    account        text NOT NULL,
    customer_id    text NOT NULL,
    late_policy    text NOT NULL DEFAULT 'next_period'
                   CHECK (late_policy IN ('next_period', 'invoice_item', 'write_off')),
    active         boolean NOT NULL DEFAULT true,
    metered_from   timestamptz NOT NULL,
    planned_until  timestamptz NOT NULL,
    known_at       timestamptz NOT NULL,
    last_edge      timestamptz,
    next_edge      timestamptz,
    replan_from    timestamptz,
    looked_at      timestamptz
);
CREATE INDEX stripe_metered_teams_edge ON stripe_metered_teams (account, next_edge) WHERE active;
CREATE INDEX stripe_metered_teams_replan ON stripe_metered_teams (account) WHERE replan_from IS NOT NULL;

------------------------------------------------------------------------------------------------------
-- Lanes: one customer and one meter, of which Stripe takes one call at a time
------------------------------------------------------------------------------------------------------

-- next_at      when something may be sent; null: nothing waits
-- lease        who is sending right now, and until when nobody else may
-- sending_*    its deltas up to this one may have arrived since then: written before they are sent, taken back with the
--              answers. What a sender that died leaves here is in doubt
-- failures     in a row, without an answer that settles anything
-- hold         why it waits for somebody to put something right; it is tried again at next_at all the same
-- compared_at  when it was last held against Stripe's summaries; suspect: it should be, soon
CREATE TABLE stripe_lanes (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account        text NOT NULL,
    customer_id    text NOT NULL,
    event_name     text NOT NULL,
    meter_id       text NOT NULL,
    team_id        text NOT NULL REFERENCES teams (id),
    metric         text NOT NULL,
    next_at        timestamptz,
    lease          text,
    leased_until   timestamptz,
    sending_since  timestamptz,
    sending_last   bigint,
    failures       integer NOT NULL DEFAULT 0,
    hold           text,
    held_since     timestamptz,
    compared_at    timestamptz,
    suspect_at     timestamptz,
    UNIQUE (account, customer_id, event_name)
);
CREATE INDEX stripe_lanes_due ON stripe_lanes (account, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX stripe_lanes_team ON stripe_lanes (team_id);
CREATE INDEX stripe_lanes_suspect ON stripe_lanes (suspect_at) WHERE suspect_at IS NOT NULL;

------------------------------------------------------------------------------------------------------
-- The outbox: deltas, each with its complete request
------------------------------------------------------------------------------------------------------

-- kind         usage: the difference of a window's usage to what was booked before; carried: usage that was late, in
--              the period that is running; repair: the opposite of what Stripe counted though we never sent it
-- window_*     the hour, cut at the edges of billing periods, or the whole period; seq counts its deltas from 1
-- quantity     signed, in the metric's unit; never zero
-- stamped_at   the instant in the request: in the window, and of the seq-th minute of it where it has as many
-- request      what is sent, to the letter; its identifier is ours, and the idempotency key is it with a number
-- deadline     after this instant it is late: the period's invoice is final, or Stripe takes it no more
-- state        pending; accepted: Stripe said yes; confirmed: its summaries agree; late, quarantined: kept, not sent;
--              lost: it never arrived; rejected: it was refused later; cancelled: it was taken back. The last three
--              count no more, so that the window's usage is booked anew with another seq
-- doubt_since  since when it may or may not have arrived: no answer has settled it
-- looked_at    when, by Stripe's clock, it was first looked for there: it is not sent again from then on
CREATE TABLE stripe_deltas (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id       bigint NOT NULL REFERENCES stripe_lanes (id),
    kind          text NOT NULL CHECK (kind IN ('usage', 'carried', 'repair')),
    window_start  timestamptz NOT NULL,
    window_end    timestamptz NOT NULL CHECK (window_end > window_start),
    seq           integer NOT NULL CHECK (seq > 0),
    quantity      numeric NOT NULL CHECK (quantity <> 0),
    stamped_at    timestamptz NOT NULL,
    deadline      timestamptz NOT NULL,
    identifier    text NOT NULL UNIQUE CHECK (length(identifier) <= 100),
    request       jsonb NOT NULL,
    cause         text NOT NULL,
    booked_at     timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN
                  ('pending', 'accepted', 'confirmed', 'late', 'quarantined', 'lost', 'rejected', 'cancelled')),
    key_number    integer NOT NULL DEFAULT 0,
    doubt_since   timestamptz,
    looked_at     timestamptz,
    settled_at    timestamptz,
    outcome       text,
    UNIQUE (lane_id, kind, window_start, window_end, seq)
) WITH (fillfactor = 85);
CREATE INDEX stripe_deltas_pending ON stripe_deltas (lane_id, id) WHERE state = 'pending';
CREATE INDEX stripe_deltas_stamped ON stripe_deltas (lane_id, stamped_at);
CREATE INDEX stripe_deltas_troubled ON stripe_deltas (state) WHERE state IN ('late', 'quarantined', 'rejected', 'lost');

-- Which deltas were sent together, by the idempotency key of the request: an error report may name that alone.
CREATE TABLE stripe_batches (
    key        text PRIMARY KEY,
    delta_ids  bigint[] NOT NULL,
    sent_at    timestamptz NOT NULL
);
CREATE INDEX stripe_batches_sent ON stripe_batches (sent_at);

-- What was decided to be told stays as it was decided.
CREATE FUNCTION refuse_change_of_delta() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Stripe delta % can''t be changed', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stripe_deltas_are_final BEFORE DELETE OR UPDATE OF
    lane_id, kind, window_start, window_end, seq, quantity, stamped_at, deadline, identifier, request, cause, booked_at
    ON stripe_deltas FOR EACH ROW EXECUTE FUNCTION refuse_change_of_delta();

------------------------------------------------------------------------------------------------------
-- Reconciliation
------------------------------------------------------------------------------------------------------

-- local_total    what the ledger says; accepted: what Stripe said yes to; stripe: what its summaries show
-- waiting        booked and not settled: pending, quarantined or late
-- stripe_time    when that was, by Stripe's clock
CREATE TABLE stripe_comparisons (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id       bigint NOT NULL REFERENCES stripe_lanes (id),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    compared_at   timestamptz NOT NULL,
    stripe_time   timestamptz NOT NULL,
    local_total   numeric NOT NULL,
    accepted      numeric NOT NULL,
    waiting       numeric NOT NULL,
    stripe        numeric NOT NULL,
    drift         text NOT NULL CHECK (drift IN ('none', 'waiting', 'lag', 'missing', 'extra', 'foreign')),
    detail        text NOT NULL DEFAULT ''
);
CREATE INDEX stripe_comparisons_lane ON stripe_comparisons (lane_id, starts_at, compared_at DESC);

-- What was put right, and why: one row per delta that was declared lost, taken back, or booked against an excess.
CREATE TABLE stripe_repairs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id      bigint NOT NULL REFERENCES stripe_lanes (id),
    delta_id     bigint NOT NULL REFERENCES stripe_deltas (id),
    drift        text NOT NULL CHECK (drift IN ('missing', 'extra', 'doubt', 'rejected')),
    action       text NOT NULL CHECK (action IN ('counted', 'lost', 'cancelled', 'offset', 'rejected')),
    quantity     numeric NOT NULL,
    cause        text NOT NULL,
    repaired_at  timestamptz NOT NULL
);
CREATE INDEX stripe_repairs_lane ON stripe_repairs (lane_id, repaired_at);
