-- Exchange rates that were uploaded. One unit of base is worth rate units of quote, as it was written. The rates of
-- the European Central Bank come with an installed package and are not in the database, except for those that were
-- uploaded because they are newer (source 'ecb').
--
-- A rate is never updated: another one for the same day supersedes it, so that what was known at an instant stays known.
CREATE TABLE exchange_rates (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    base           text NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    quote          text NOT NULL CHECK (quote ~ '^[A-Z]{3}$'),
    day            date NOT NULL,
    rate           numeric NOT NULL CHECK (rate > 0),
    recorded_at    timestamptz NOT NULL,
    superseded_at  timestamptz,
    CHECK (base <> quote),
    CHECK (source <> 'ecb' OR base = 'EUR')
);
-- The pair in either direction is one pair: it has one rate a day, and a second one besides only if that is the ECB's.
CREATE UNIQUE INDEX exchange_rates_in_force
    ON exchange_rates (least(base, quote), greatest(base, quote), day, (source = 'ecb')) WHERE superseded_at IS NULL;
CREATE INDEX exchange_rates_pair ON exchange_rates (base, quote, day);
