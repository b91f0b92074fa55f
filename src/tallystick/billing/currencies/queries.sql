-- name: lock_rates
-- Let one upload at a time replace rates; readers go on.
LOCK TABLE exchange_rates IN SHARE ROW EXCLUSIVE MODE;

-- name: supersede_rates
-- From now on, rates that the upload says otherwise (another value, direction or table) no longer hold.
UPDATE exchange_rates held
SET superseded_at = %(now)s
FROM unnest(%(days)s::date[], %(bases)s::text[], %(quotes)s::text[], %(rates)s::numeric[]) AS sent (day, base, quote, rate)
WHERE held.superseded_at IS NULL AND (held.source = 'ecb') = (%(source)s = 'ecb') AND held.day = sent.day
  AND least(held.base, held.quote) = least(sent.base, sent.quote)
  AND greatest(held.base, held.quote) = greatest(sent.base, sent.quote)
  AND (held.base, held.quote, held.rate, held.source) <> (sent.base, sent.quote, sent.rate, %(source)s);

-- name: insert_rates
-- Add what the upload says and is not held yet.
INSERT INTO exchange_rates (source, base, quote, day, rate, recorded_at)
SELECT %(source)s, base, quote, day, rate, %(now)s
FROM unnest(%(days)s::date[], %(bases)s::text[], %(quotes)s::text[], %(rates)s::numeric[]) AS sent (day, base, quote, rate)
ON CONFLICT (least(base, quote), greatest(base, quote), day, (source = 'ecb')) WHERE superseded_at IS NULL DO NOTHING;

-- name: rates_of_pairs
-- The rates of some pairs in some days, as they were known at an instant; the pairs are given in both directions.
SELECT day, base, quote, rate, source
FROM exchange_rates
WHERE (base, quote) IN (SELECT * FROM unnest(%(bases)s::text[], %(quotes)s::text[]))
  AND day BETWEEN %(first)s AND %(last)s
  AND recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s)
ORDER BY day, id;

-- name: first_days
-- The first day that uploaded tables have of each of these pairs, as it was known at an instant.
SELECT base, quote, min(day)
FROM exchange_rates
WHERE (base, quote) IN (SELECT * FROM unnest(%(bases)s::text[], %(quotes)s::text[]))
  AND source <> 'ecb' AND recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s)
GROUP BY base, quote;

-- name: tables
-- What is uploaded: the first and the last day of each pair of each table.
SELECT source, base, quote, min(day), max(day), count(*)
FROM exchange_rates
WHERE superseded_at IS NULL
GROUP BY source, base, quote
ORDER BY source, base, quote;
