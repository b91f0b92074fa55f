-- name: meters_of
-- Every metric that has a meter in an account.
SELECT metric, event_name, meter_id, customer_key, value_key FROM stripe_meters WHERE account = %(account)s
ORDER BY metric;

-- name: keep_meter
-- A metric's meter. What was kept before stays.
INSERT INTO stripe_meters (account, metric, event_name, meter_id, customer_key, value_key, created_at)
VALUES (%(account)s, %(metric)s, %(event_name)s, %(meter_id)s, %(customer_key)s, %(value_key)s, %(now)s)
ON CONFLICT (account, metric) DO UPDATE
SET event_name = excluded.event_name, meter_id = excluded.meter_id,
    customer_key = excluded.customer_key, value_key = excluded.value_key;

-- name: prices_of
-- Stripe's prices that were made of the catalogue's, by lookup key.
SELECT lookup_key, stripe_id FROM stripe_meter_prices WHERE account = %(account)s;

-- name: keep_price
-- Which of Stripe's prices a price of the catalogue is.
INSERT INTO stripe_meter_prices (account, lookup_key, plan, price, stripe_id, created_at)
VALUES (%(account)s, %(lookup_key)s, %(plan)s, %(price)s, %(stripe_id)s, %(now)s)
ON CONFLICT (account, lookup_key) DO UPDATE SET stripe_id = excluded.stripe_id;

-- name: enrol
-- A team whose usage Stripe's meters are told from an instant on. Another customer begins where the team is now.
INSERT INTO stripe_metered_teams
    (team_id, account, customer_id, late_policy, metered_from, planned_until, known_at)
VALUES (%(team_id)s, %(account)s, %(customer_id)s, %(late_policy)s, %(metered_from)s, %(planned_until)s, %(now)s)
ON CONFLICT (team_id) DO UPDATE
SET late_policy = excluded.late_policy, active = true, account = excluded.account, customer_id = excluded.customer_id,
    metered_from = excluded.metered_from, planned_until = excluded.planned_until;

-- name: find_metered
-- A team's customer, and from when on Stripe is told its usage; until the transaction ends nobody looks at it.
SELECT account, customer_id, active, metered_from, planned_until FROM stripe_metered_teams WHERE team_id = %(team_id)s
FOR UPDATE;

-- name: withdraw
-- A team whose usage Stripe is told no more. What is booked is still sent.
UPDATE stripe_metered_teams SET active = false WHERE team_id = %(team_id)s;

-- name: claim_teams
-- The next teams to be looked at, by id, which nobody else looks at; only those that can't wait, if so wanted: something
-- about their outbox has changed, or a billing period has ended.
SELECT team_id, customer_id, late_policy, metered_from, planned_until, known_at, replan_from
FROM stripe_metered_teams
WHERE active AND account = %(account)s AND team_id > %(after)s
  AND (%(only)s::text[] IS NULL OR team_id = ANY (%(only)s))
  AND (NOT %(urgent)s OR replan_from IS NOT NULL OR next_edge <= %(settled)s)
ORDER BY team_id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: presses
-- Whether a team can't wait: something about its outbox has changed, or its billing period has ended.
SELECT EXISTS (SELECT FROM stripe_metered_teams WHERE account = %(account)s AND replan_from IS NOT NULL AND active)
    OR EXISTS (SELECT FROM stripe_metered_teams WHERE account = %(account)s AND next_edge <= %(settled)s AND active);

-- name: looked_at
-- How far teams were looked at.
UPDATE stripe_metered_teams t
SET planned_until = x.until, known_at = %(known_at)s, last_edge = x.last_edge, next_edge = x.next_edge,
    replan_from = NULL, looked_at = %(now)s
FROM unnest(%(teams)s::text[], %(untils)s::timestamptz[], %(lasts)s::timestamptz[], %(nexts)s::timestamptz[])
     AS x (team_id, until, last_edge, next_edge)
WHERE t.team_id = x.team_id;

-- name: replan
-- Something about the outbox of teams has changed: their windows are looked at again, from an instant on.
UPDATE stripe_metered_teams t SET replan_from = least(t.replan_from, x.start)
FROM (SELECT team_id, min(start) AS start
      FROM unnest(%(teams)s::text[], %(starts)s::timestamptz[]) AS u (team_id, start) GROUP BY team_id) x
WHERE t.team_id = x.team_id;

-- name: open_lanes
-- The lanes of customers and meters, made where there is none.
INSERT INTO stripe_lanes (account, customer_id, event_name, meter_id, team_id, metric)
SELECT %(account)s, * FROM unnest(%(customers)s::text[], %(events)s::text[], %(meters)s::text[], %(teams)s::text[],
                                  %(metrics)s::text[])
ON CONFLICT (account, customer_id, event_name) DO NOTHING;

-- name: lanes_of
-- The lanes of an account, of some teams or all, by id.
SELECT id, account, customer_id, event_name, meter_id, team_id, metric FROM stripe_lanes
WHERE account = %(account)s AND (%(teams)s::text[] IS NULL OR team_id = ANY (%(teams)s))
ORDER BY id;

-- name: booked
-- What was booked of the windows that share an instant with a span, lane by lane.
SELECT x.number, d.window_start, d.window_end,
       coalesce(sum(d.quantity) FILTER (WHERE d.state NOT IN ('lost', 'rejected', 'cancelled')), 0),
       max(d.seq)
FROM unnest(%(numbers)s::int[], %(lanes)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
     AS x (number, lane_id, starts_at, ends_at)
JOIN stripe_deltas d ON d.lane_id = x.lane_id AND d.kind = 'usage'
 AND d.window_start < x.ends_at AND d.window_end > x.starts_at
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- name: last_seq
-- The last number of a kind of delta in a window.
SELECT coalesce(max(seq), 0) FROM stripe_deltas
WHERE lane_id = %(lane_id)s AND kind = %(kind)s AND window_start = %(window_start)s AND window_end = %(window_end)s;

-- name: book
-- Write deltas down, in this order.
INSERT INTO stripe_deltas (lane_id, kind, window_start, window_end, seq, quantity, stamped_at, deadline, identifier,
                           request, cause, booked_at, state)
SELECT lane_id, kind, window_start, window_end, seq, quantity, stamped_at, deadline, identifier, request, cause,
       %(now)s, state
FROM unnest(%(lanes)s::bigint[], %(kinds)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(seqs)s::int[],
            %(quantities)s::numeric[], %(stamps)s::timestamptz[], %(deadlines)s::timestamptz[], %(identifiers)s::text[],
            %(requests)s::jsonb[], %(causes)s::text[], %(states)s::text[])
     WITH ORDINALITY AS x (lane_id, kind, window_start, window_end, seq, quantity, stamped_at, deadline, identifier,
                           request, cause, state, position)
ORDER BY position
RETURNING id;

-- name: wake
-- Lanes in which something was booked. What waits for its time goes on waiting. Takes each lane in any case, so that who
-- gives one back meanwhile sees what was booked; and in order, as everybody does.
WITH held AS (SELECT id FROM stripe_lanes WHERE id = ANY (%(lanes)s) ORDER BY id FOR NO KEY UPDATE)
UPDATE stripe_lanes l SET next_at = coalesce(l.next_at, %(now)s) FROM held WHERE l.id = held.id;

-- name: claim_lanes
-- Lease lanes whose time has come, those first that have waited longest. A lease that ended was a sender's that died.
-- What is to end or to be sent in the far future was written by a clock that was put back since: it is looked at now.
WITH free AS (
    SELECT id FROM stripe_lanes
    WHERE account = %(account)s AND (next_at <= %(now)s OR next_at > %(now)s + interval '2 hours')
      AND (leased_until IS NULL OR leased_until <= %(now)s OR leased_until > %(until)s + interval '1 hour')
    ORDER BY next_at, id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE stripe_lanes l SET lease = %(lease)s, leased_until = %(until)s
FROM free WHERE l.id = free.id
RETURNING l.id, l.account, l.customer_id, l.event_name, l.meter_id, l.team_id, l.metric, l.failures,
          l.sending_last IS NOT NULL;

-- name: left_in_doubt
-- What senders that died had begun to send in these lanes may have arrived.
UPDATE stripe_deltas d SET doubt_since = l.sending_since
FROM stripe_lanes l
WHERE l.id = ANY (%(lanes)s) AND d.lane_id = l.id AND d.state = 'pending' AND d.id <= l.sending_last
  AND d.doubt_since IS NULL;

-- name: heads
-- The first deltas that wait in each lane, in the order in which they were booked.
SELECT d.id, x.lane_id, d.identifier, d.request::text, d.quantity, d.deadline, d.key_number, d.doubt_since, d.looked_at
FROM unnest(%(lanes)s::bigint[]) AS x (lane_id)
CROSS JOIN LATERAL (
    SELECT * FROM stripe_deltas p WHERE p.lane_id = x.lane_id AND p.state = 'pending' ORDER BY p.id LIMIT %(depth)s
) d
ORDER BY x.lane_id, d.id;

-- name: sending
-- From here on the deltas of these lanes may have arrived, up to the last one that is sent; null: none is sent.
UPDATE stripe_lanes l SET sending_since = %(now)s, sending_last = x.last
FROM unnest(%(lanes)s::bigint[], %(lasts)s::bigint[]) AS x (id, last) WHERE l.id = x.id;

-- name: streaming
-- Which deltas are sent together.
INSERT INTO stripe_batches (key, delta_ids, sent_at) VALUES (%(key)s, %(ids)s::bigint[], %(now)s);

-- name: forget_batches
-- What Stripe reports no errors of any more.
DELETE FROM stripe_batches WHERE sent_at < %(before)s;

-- name: hold_lanes
-- Those of the lanes that are still leased to this sender; nobody else takes one until the transaction ends.
SELECT id FROM stripe_lanes WHERE id = ANY (%(lanes)s) AND (%(lease)s::text IS NULL OR lease = %(lease)s)
ORDER BY id FOR NO KEY UPDATE;

-- name: hold_teams
-- Nobody looks at the usage of the teams of these lanes until the transaction ends.
SELECT team_id FROM stripe_metered_teams
WHERE team_id IN (SELECT team_id FROM stripe_lanes WHERE id = ANY (%(lanes)s))
ORDER BY team_id FOR NO KEY UPDATE;

-- name: accepted
-- Stripe said yes.
UPDATE stripe_deltas SET state = 'accepted', settled_at = %(now)s, doubt_since = NULL, outcome = NULL
WHERE id = ANY (%(ids)s::bigint[]) AND state = 'pending';

-- name: found
-- What was set aside is seen to count.
UPDATE stripe_deltas SET state = 'accepted', settled_at = %(now)s, outcome = NULL
WHERE id = %(id)s AND state = 'quarantined';

-- name: unclear
-- What was seen about a delta that was set aside, and when, by Stripe's clock, for the first time.
UPDATE stripe_deltas SET outcome = %(outcome)s, looked_at = %(looked_at)s WHERE id = %(id)s AND state = 'quarantined';

-- name: reported
-- Stripe says that some of these were not counted: they were sent together, and it names no single one.
UPDATE stripe_deltas SET outcome = %(outcome)s WHERE id = ANY (%(ids)s) AND state = 'accepted';

-- name: unsettled
-- What else was learned about deltas that wait: whether they may have arrived, and the number of their next key.
UPDATE stripe_deltas d
SET doubt_since = x.doubt_since, key_number = x.key_number, outcome = x.outcome, looked_at = x.looked_at
FROM unnest(%(ids)s::bigint[], %(doubts)s::timestamptz[], %(keys)s::int[], %(outcomes)s::text[],
            %(looks)s::timestamptz[]) AS x (id, doubt_since, key_number, outcome, looked_at)
WHERE d.id = x.id AND d.state = 'pending';

-- name: settled
-- Deltas that wait no more: late, quarantined, lost, rejected, cancelled.
UPDATE stripe_deltas d SET state = x.state, settled_at = %(now)s, doubt_since = NULL, outcome = x.outcome
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(outcomes)s::text[]) AS x (id, state, outcome)
WHERE d.id = x.id AND d.state <> x.state AND d.state NOT IN ('lost', 'rejected', 'cancelled')
RETURNING d.id, d.lane_id, d.quantity, d.window_start;

-- name: release
-- Give lanes back: what waits in them is sent from an instant on.
UPDATE stripe_lanes l
SET told_at = CASE WHEN l.sending_last IS NULL THEN l.told_at ELSE %(now)s END, lease = NULL, leased_until = NULL, sending_since = NULL, sending_last = NULL, failures = x.failures, hold = x.hold,
    held_since = CASE WHEN x.hold IS NULL THEN NULL ELSE coalesce(l.held_since, %(now)s) END,
    next_at = CASE WHEN EXISTS (SELECT FROM stripe_deltas d WHERE d.lane_id = l.id AND d.state = 'pending')
                   THEN x.next_at END
FROM unnest(%(lanes)s::bigint[], %(failures)s::int[], %(holds)s::text[], %(nexts)s::timestamptz[])
     AS x (id, failures, hold, next_at)
WHERE l.id = x.id;

-- name: resume
-- Lanes that are held are tried again now, of some teams or all.
UPDATE stripe_lanes SET next_at = %(now)s, failures = 0
WHERE account = %(account)s AND next_at IS NOT NULL AND (%(teams)s::text[] IS NULL OR team_id = ANY (%(teams)s));

-- name: told_in
-- The deltas stamped in a stretch of a lane, as they stand.
SELECT id, identifier, kind, window_start, window_end, quantity, stamped_at, deadline, state, doubt_since, settled_at,
       outcome, looked_at
FROM stripe_deltas
WHERE lane_id = %(lane_id)s AND stamped_at >= %(starts_at)s AND stamped_at < %(ends_at)s
ORDER BY id;

-- name: teams_of_lanes
-- Whose lanes these are.
SELECT id, team_id FROM stripe_lanes WHERE id = ANY (%(lanes)s);

-- name: by_reference
-- The deltas that error reports name: by identifier, by idempotency key, which begins with it, or by their batch's key.
SELECT d.id, d.lane_id, l.team_id, d.state, x.reference, true
FROM unnest(%(references)s::text[]) AS x (reference)
JOIN stripe_deltas d ON d.identifier = split_part(x.reference, ':', 1)
JOIN stripe_lanes l ON l.id = d.lane_id
UNION ALL
SELECT d.id, d.lane_id, l.team_id, d.state, b.key, cardinality(b.delta_ids) = 1
FROM stripe_batches b CROSS JOIN LATERAL unnest(b.delta_ids) AS i (id)
JOIN stripe_deltas d ON d.id = i.id
JOIN stripe_lanes l ON l.id = d.lane_id
WHERE b.key = ANY (%(references)s)
ORDER BY 1;

-- name: suspect_told_since
-- The lanes of which anything was sent since an instant are to be held against Stripe's summaries: a report about errors
-- shows samples alone.
UPDATE stripe_lanes SET suspect_at = least(suspect_at, %(at)s)
WHERE account = %(account)s AND told_at >= %(since)s;

-- name: suspect
-- Lanes that are to be held against Stripe's summaries, from an instant on.
UPDATE stripe_lanes SET suspect_at = least(suspect_at, %(at)s) WHERE id = ANY (%(lanes)s);

-- name: hold_back
-- Lanes that wait for somebody to put something right.
UPDATE stripe_lanes SET hold = %(hold)s, held_since = coalesce(held_since, %(now)s), next_at = greatest(next_at, %(until)s)
WHERE id = ANY (%(lanes)s);

-- name: hold_account
-- Every lane of an account waits, those aside that are being sent of: no call can succeed.
WITH free AS (
    SELECT id FROM stripe_lanes
    WHERE account = %(account)s AND next_at < %(until)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE stripe_lanes l SET hold = %(hold)s, held_since = coalesce(l.held_since, %(now)s), next_at = %(until)s
FROM free WHERE l.id = free.id;

-- name: uncarry
-- Late usage that these carried is dealt with no more: they came to nothing.
UPDATE stripe_deltas late SET outcome = NULL
FROM stripe_deltas carried
WHERE carried.id = ANY (%(ids)s) AND carried.kind = 'carried'
  AND late.lane_id = carried.lane_id AND late.kind = 'usage' AND late.state = 'late'
  AND late.outcome = 'carried by ' || carried.id;

-- name: note_repair
-- What was put right, and why.
INSERT INTO stripe_repairs (lane_id, delta_id, drift, action, quantity, cause, repaired_at)
VALUES (%(lane_id)s, %(delta_id)s, %(drift)s, %(action)s, %(quantity)s, %(cause)s, %(now)s);

-- name: confirm
-- Stripe's summaries agree with what it said yes to.
UPDATE stripe_deltas SET state = 'confirmed', outcome = NULL
WHERE lane_id = %(lane_id)s AND state = 'accepted' AND stamped_at >= %(starts_at)s AND stamped_at < %(ends_at)s;

-- name: late_usage
-- Usage that came too late and was not dealt with, with the policy of its team; nobody else deals with it meanwhile.
SELECT d.id, d.window_start, d.window_end, d.quantity, t.late_policy, l.id, l.account, l.customer_id, l.event_name,
       l.meter_id, l.team_id, l.metric
FROM stripe_deltas d JOIN stripe_lanes l ON l.id = d.lane_id JOIN stripe_metered_teams t ON t.team_id = l.team_id
WHERE d.state = 'late' AND d.outcome IS NULL AND l.account = %(account)s AND t.active
  AND (%(only)s::text[] IS NULL OR t.team_id = ANY (%(only)s)) AND d.id > %(after)s
ORDER BY d.id LIMIT %(limit)s
FOR NO KEY UPDATE OF d, t SKIP LOCKED;

-- name: dealt_with
-- What became of late usage.
UPDATE stripe_deltas d SET outcome = x.outcome
FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[]) AS x (id, outcome) WHERE d.id = x.id;

-- name: standing
-- How the outbox stands, team by team: how many deltas are in which state, and since when the oldest waits.
SELECT l.team_id,
       count(*) FILTER (WHERE d.state = 'pending' AND l.hold IS NULL),
       count(*) FILTER (WHERE d.state = 'pending' AND l.hold IS NOT NULL),
       count(*) FILTER (WHERE d.state = 'accepted'),
       count(*) FILTER (WHERE d.state = 'confirmed'),
       count(*) FILTER (WHERE d.state = 'quarantined'),
       count(*) FILTER (WHERE d.state = 'late'),
       count(*) FILTER (WHERE d.state = 'pending' AND d.doubt_since IS NOT NULL),
       min(d.booked_at) FILTER (WHERE d.state IN ('pending', 'quarantined')),
       min(l.hold)
FROM stripe_deltas d JOIN stripe_lanes l ON l.id = d.lane_id
WHERE (%(teams)s::text[] IS NULL OR l.team_id = ANY (%(teams)s))
GROUP BY 1 ORDER BY 1;

-- name: at_risk
-- Usage that has been waiting for a while and will soon be too late for its period's invoice, team by team: how many
-- deltas, until when, and what holds them.
SELECT l.team_id, count(*), min(d.deadline), min(l.hold)
FROM stripe_lanes l JOIN stripe_deltas d ON d.lane_id = l.id AND d.state = 'pending'
WHERE l.account = %(account)s AND l.next_at IS NOT NULL
  AND d.deadline > %(now)s AND d.deadline <= %(soon)s AND d.booked_at <= %(since)s
GROUP BY 1 ORDER BY 1;

-- name: refused
-- Usage that Stripe refused for good, of some teams or all; not what may have arrived, which is looked for.
SELECT d.id, d.lane_id FROM stripe_deltas d JOIN stripe_lanes l ON l.id = d.lane_id
WHERE l.account = %(account)s AND d.state = 'quarantined' AND d.outcome NOT LIKE %(unclear)s
  AND (%(teams)s::text[] IS NULL OR l.team_id = ANY (%(teams)s))
ORDER BY d.id;

-- name: backlog
-- How many deltas could be sent now, as far as a number of them.
SELECT count(*) FROM (
    SELECT 1 FROM stripe_lanes l JOIN stripe_deltas d ON d.lane_id = l.id AND d.state = 'pending'
    WHERE l.account = %(account)s AND l.next_at <= %(now)s LIMIT %(limit)s
) AS waiting;
