-- Plan versions, named prices, fees, and prices of one team.

------------------------------------------------------------------------------------------------------
-- Plans: `growth@2` is the second version of the plan `growth`
------------------------------------------------------------------------------------------------------

ALTER TABLE plans
    ADD COLUMN family  text,
    ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version > 0);
UPDATE plans SET family = name;
ALTER TABLE plans ALTER COLUMN family SET NOT NULL;
CREATE UNIQUE INDEX plans_family ON plans (family, version);

-- Trial, minimum, commitment and discounts of a whole plan: of the rows that are not superseded, the latest that
-- begins before a period's end is in force at it.
CREATE TABLE plan_terms (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan            text NOT NULL REFERENCES plans (name),
    terms           jsonb NOT NULL,
    effective_from  timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    superseded_at   timestamptz
);
CREATE UNIQUE INDEX plan_terms_in_force ON plan_terms (plan, effective_from) WHERE superseded_at IS NULL;
INSERT INTO plan_terms (plan, terms, effective_from, recorded_at) SELECT name, '{}', '-infinity', created_at FROM plans;

-- What was agreed with one team, discounts and pinned exchange rates, in the same way. A team without a row agreed
-- on nothing.
CREATE TABLE team_terms (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id         text NOT NULL REFERENCES teams (id),
    terms           jsonb NOT NULL,
    effective_from  timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    superseded_at   timestamptz
);
CREATE UNIQUE INDEX team_terms_in_force ON team_terms (team_id, effective_from) WHERE superseded_at IS NULL;

------------------------------------------------------------------------------------------------------
-- Prices: of a plan or of one team; of a metric, or a fee
------------------------------------------------------------------------------------------------------

ALTER TABLE prices
    ADD COLUMN name    text,
    ADD COLUMN team_id text REFERENCES teams (id),
    ALTER COLUMN metric DROP NOT NULL,
    ALTER COLUMN plan DROP NOT NULL,
    ADD CHECK ((plan IS NULL) = (team_id IS NOT NULL));
UPDATE prices SET name = metric;
ALTER TABLE prices ALTER COLUMN name SET NOT NULL;
ALTER TABLE usage_pricing_tiers ALTER COLUMN metric DROP NOT NULL;

DROP INDEX prices_in_force;
CREATE UNIQUE INDEX prices_in_force ON prices (plan, name, effective_from)
    WHERE superseded_at IS NULL AND team_id IS NULL;
CREATE UNIQUE INDEX prices_of_teams_in_force ON prices (team_id, name, effective_from)
    WHERE superseded_at IS NULL AND team_id IS NOT NULL;
CREATE INDEX prices_of_plans ON prices (plan, effective_from);
CREATE INDEX prices_of_teams ON prices (team_id, effective_from) WHERE team_id IS NOT NULL;

-- Ends of prices that were moved while they were still to come: until replaced_at the price was known to end at
-- effective_to. Of several, the one replaced first after a moment is what was known at that moment.
CREATE TABLE price_ends (
    price_id      bigint NOT NULL REFERENCES prices (id),
    effective_to  timestamptz NOT NULL,
    replaced_at   timestamptz NOT NULL
);
CREATE INDEX price_ends_price ON price_ends (price_id, replaced_at);

------------------------------------------------------------------------------------------------------
-- How periods are closed and invoices written, as the file says that was applied
------------------------------------------------------------------------------------------------------

ALTER TABLE catalogue_revisions ADD COLUMN billing jsonb NOT NULL DEFAULT '{}';
