-- Closed statements. A billing period is open (active), then closed once and for good: its lines and what
-- they were made of are written with a digest over both, in one transaction. What is learned afterwards is
-- booked as adjustments on a later statement; only a void takes a statement out of the books.

------------------------------------------------------------------------------------------------------
-- The statement: one row per team and period
------------------------------------------------------------------------------------------------------

-- kind        a period's statement, or a correction: adjustments alone, of a period closed before
-- currency    of a closed statement the one the team is billed in; all amounts below are in it
-- total       of an open one what it comes to so far; of a closed one what is due: subtotal − credits
-- known_at    the recorded time up to which usage, prices and terms were known
-- rated_at    the recorded time up to which the period has been re-rated; corrections later than it are open
-- inputs      what the lines were made of: subscription, terms, prices with their parameters, rates
-- digest      SHA-256, hexadecimal, over inputs and lines in canonical JSON
ALTER TABLE metered_billing_periods
    ADD COLUMN kind         text NOT NULL DEFAULT 'period' CHECK (kind IN ('period', 'correction')),
    ADD COLUMN subtotal     numeric,
    ADD COLUMN credits      numeric NOT NULL DEFAULT 0,
    ADD COLUMN known_at     timestamptz,
    ADD COLUMN rated_at     timestamptz,
    ADD COLUMN closed_at    timestamptz,
    ADD COLUMN inputs       jsonb,
    ADD COLUMN digest       text,
    ADD COLUMN voided_at    timestamptz,
    ADD COLUMN void_reason  text,
    ADD COLUMN voided_by    text;

-- A period is charged once: a second statement of it needs the first to be void.
ALTER TABLE metered_billing_periods DROP CONSTRAINT metered_billing_periods_subscription_id_period_start_key;
CREATE UNIQUE INDEX metered_billing_periods_once ON metered_billing_periods (subscription_id, period_start)
    WHERE kind = 'period' AND status <> 'void';
CREATE INDEX metered_billing_periods_team ON metered_billing_periods (team_id, period_start);

------------------------------------------------------------------------------------------------------
-- Its lines
------------------------------------------------------------------------------------------------------

-- key            what the line is about, once in its statement: usage:api_calls@2026-03-01T00:00:00Z
-- amount, total  exact, and rounded once, in the price's currency; null: nothing is charged, reason says why
-- steps          how the amount was made; their amounts add up to it
-- converted_total  the total in the team's billing currency, at the rate beside it
-- adjusts_*      of an adjustment: the closed period and the line of it that is corrected
-- cause          of an adjustment: why it is, and the events behind it
CREATE TABLE statement_lines (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id          bigint NOT NULL REFERENCES metered_billing_periods (id),
    position           integer NOT NULL,
    key                text NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('usage', 'fee', 'discount', 'commitment', 'adjustment')),
    name               text NOT NULL,
    metric             text,
    unit               text NOT NULL,
    interval_start     timestamptz NOT NULL,
    interval_end       timestamptz NOT NULL,
    basis              text NOT NULL CHECK (basis IN ('interval', 'period_end')),
    quantity           numeric NOT NULL,
    events             bigint NOT NULL,
    unvalued           bigint NOT NULL,
    price_id           bigint,
    currency           text NOT NULL,
    amount             numeric,
    total              numeric,
    steps              jsonb NOT NULL DEFAULT '[]',
    reason             text,
    billing_currency   text NOT NULL,
    converted_total    numeric,
    exchange_rate      numeric,
    rate_date          date,
    rate_source        text,
    adjusts_period_id  bigint REFERENCES metered_billing_periods (id),
    adjusts_key        text,
    cause              jsonb,
    UNIQUE (period_id, key),
    CHECK ((kind = 'adjustment') = (adjusts_period_id IS NOT NULL AND adjusts_key IS NOT NULL)),
    CHECK ((amount IS NULL) = (total IS NULL))
);
CREATE INDEX statement_lines_adjusts ON statement_lines (adjusts_period_id) WHERE adjusts_period_id IS NOT NULL;

------------------------------------------------------------------------------------------------------
-- Closed is closed
------------------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_change_of_closed_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'line % of closed statement % can''t be changed', OLD.key, OLD.period_id
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER statement_lines_are_final BEFORE UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_closed_line();

CREATE FUNCTION refuse_change_of_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.digest IS NULL THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE'
       OR (NEW.team_id, NEW.subscription_id, NEW.kind, NEW.period_start, NEW.period_end, NEW.currency, NEW.subtotal,
           NEW.credits, NEW.total, NEW.known_at, NEW.closed_at, NEW.inputs, NEW.digest)
          IS DISTINCT FROM
          (OLD.team_id, OLD.subscription_id, OLD.kind, OLD.period_start, OLD.period_end, OLD.currency, OLD.subtotal,
           OLD.credits, OLD.total, OLD.known_at, OLD.closed_at, OLD.inputs, OLD.digest)
       OR NEW.status IN ('active', 'closing')
       OR (OLD.status = 'void' AND NEW.status <> 'void')
    THEN
        RAISE EXCEPTION 'statement % is closed and can''t be changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER metered_billing_periods_are_final BEFORE UPDATE OR DELETE ON metered_billing_periods
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_closed_period();
