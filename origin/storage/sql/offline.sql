-- The history as training reads it: decisions, and what was known when they were taken.

-- name: count_decisions
SELECT (SELECT count(*) FROM served_slates WHERE served_at_ms >= $1 AND served_at_ms < $2)
     + (SELECT count(*) FROM impressions WHERE occurred_at_ms >= $1 AND occurred_at_ms < $2
        AND NOT EXISTS (SELECT FROM served_slates
                        WHERE served_slates.slate_id = impressions.slate_id))

-- name: decisions
-- A page from each side is enough for a page of both.
SELECT slate_id, at_ms, record FROM (
    (SELECT slate_id, served_at_ms AS at_ms, record FROM served_slates
     WHERE (served_at_ms, slate_id) > ($1, $2) AND served_at_ms < $3
     ORDER BY served_at_ms, slate_id LIMIT $4)
    UNION ALL
    (SELECT slate_id, occurred_at_ms, NULL FROM impressions
     WHERE (occurred_at_ms, slate_id) > ($1, $2) AND occurred_at_ms < $3
         AND NOT EXISTS (SELECT FROM served_slates
                         WHERE served_slates.slate_id = impressions.slate_id)
     ORDER BY occurred_at_ms, slate_id LIMIT $4)
) AS both_sides
ORDER BY at_ms, slate_id LIMIT $4

-- name: seen
SELECT * FROM impressions WHERE slate_id = ANY($1::text[])

-- name: interactions_with
SELECT user_id, slate_id, item_id, action, occurred_at_ms FROM interactions
WHERE slate_id = ANY($1::text[])

-- name: sequences
SELECT wanted.place, found.item_id, found.action, found.occurred_at_ms
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted(user_id, before_ms, place)
CROSS JOIN LATERAL (
    SELECT item_id, action, occurred_at_ms FROM interactions
    WHERE interactions.user_id = wanted.user_id AND occurred_at_ms < wanted.before_ms
        AND NOT EXISTS (SELECT FROM served_slates
                        WHERE served_slates.slate_id = interactions.slate_id
                            AND served_at_ms >= wanted.before_ms)
        AND NOT EXISTS (SELECT FROM impressions
                        WHERE impressions.slate_id = interactions.slate_id
                            AND impressions.occurred_at_ms >= wanted.before_ms)
    ORDER BY occurred_at_ms DESC, item_id DESC, action DESC LIMIT $3
) AS found
ORDER BY wanted.place, found.occurred_at_ms, found.item_id, found.action
