-- name: find
-- A team and its customer.
SELECT team_id, account, customer_id, mode, late_policy, collection, billed_from, linked_at, customer_gone_at,
       subscription_id, subscription_status
FROM stripe_teams WHERE team_id = %(team_id)s;

-- name: find_by_customer
-- A customer and its team.
SELECT team_id, account, customer_id, mode, late_policy, collection, billed_from, linked_at, customer_gone_at,
       subscription_id, subscription_status
FROM stripe_teams WHERE account = %(account)s AND customer_id = %(customer_id)s;

-- name: list
-- Every team that is a customer, by id.
SELECT team_id, account, customer_id, mode, late_policy, collection, billed_from, linked_at, customer_gone_at,
       subscription_id, subscription_status
FROM stripe_teams ORDER BY team_id;

-- name: link
-- From now on a team is this customer; its other terms are replaced, and what happened to another customer forgotten.
INSERT INTO stripe_teams AS linked
    (team_id, account, customer_id, mode, late_policy, collection, billed_from, linked_at)
VALUES (%(team_id)s, %(account)s, %(customer_id)s, %(mode)s, %(late_policy)s, %(collection)s,
        coalesce(%(billed_from)s, %(now)s), %(now)s)
ON CONFLICT (team_id) DO UPDATE
SET account = excluded.account, customer_id = excluded.customer_id, mode = excluded.mode,
    late_policy = excluded.late_policy, collection = excluded.collection,
    billed_from = coalesce(%(billed_from)s, linked.billed_from),
    linked_at = CASE WHEN (linked.account, linked.customer_id) = (excluded.account, excluded.customer_id)
                     THEN linked.linked_at ELSE excluded.linked_at END,
    customer_gone_at = NULL,
    subscription_id = CASE WHEN linked.customer_id = excluded.customer_id THEN linked.subscription_id END,
    subscription_status = CASE WHEN linked.customer_id = excluded.customer_id THEN linked.subscription_status END;

-- name: unlink
-- A team is no customer any more.
DELETE FROM stripe_teams WHERE team_id = %(team_id)s;

-- name: customer_gone
-- A customer was deleted.
UPDATE stripe_teams SET customer_gone_at = coalesce(customer_gone_at, %(now)s)
WHERE account = %(account)s AND customer_id = %(customer_id)s
RETURNING team_id;

-- name: subscription_changed
-- A customer's subscription is in another state.
UPDATE stripe_teams SET subscription_id = %(id)s, subscription_status = %(status)s
WHERE account = %(account)s AND customer_id = %(customer_id)s
RETURNING team_id, mode;

-- name: late_usage
-- What becomes of corrections of a team's closed periods; null: what the billing file says.
WITH forgotten AS (DELETE FROM team_late_usage WHERE team_id = %(team_id)s AND %(late_usage)s::text IS NULL)
INSERT INTO team_late_usage (team_id, late_usage)
SELECT %(team_id)s, %(late_usage)s WHERE %(late_usage)s::text IS NOT NULL
ON CONFLICT (team_id) DO UPDATE SET late_usage = excluded.late_usage;

-- name: every
-- Every team, by id, after a position.
SELECT id, name, time_zone FROM teams WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;
