-- The history of outcomes, as stream processors write it and rewards are joined from it.
-- Rows are touched in the order of their keys, so that two processors never wait in a circle.

-- name: add_impression
INSERT INTO impressions (slate_id, event_id, consent, user_id, session_id, occurred_at_ms, surface,
                         context, policy_version, model_version, item_ids, positions, propensities)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (slate_id) DO NOTHING

-- name: open_slates
INSERT INTO open_slates (slate_id, closes_at_ms)
SELECT slate_id, $2::bigint FROM unnest($1::text[]) AS given(slate_id)
ORDER BY slate_id ON CONFLICT DO NOTHING

-- name: shown_slates
SELECT slate_id, occurred_at_ms, context, item_ids, positions, propensities,
       EXISTS (SELECT FROM open_slates WHERE open_slates.slate_id = impressions.slate_id) AS is_open
FROM impressions WHERE slate_id = ANY($1::text[])

-- name: interactions_with
SELECT user_id, slate_id, item_id, action, occurred_at_ms FROM interactions
WHERE slate_id = ANY($1::text[])

-- name: due_slates
-- An erased visitor's slate has no impression any more: it closes without a word.
WITH due AS MATERIALIZED (
    SELECT slate_id FROM open_slates WHERE closes_at_ms <= $1
    ORDER BY closes_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED
), orphaned AS (
    DELETE FROM open_slates USING due WHERE open_slates.slate_id = due.slate_id
        AND NOT EXISTS (SELECT FROM impressions WHERE impressions.slate_id = due.slate_id)
)
SELECT slate_id, occurred_at_ms, context, item_ids, positions, propensities, true AS is_open
FROM impressions JOIN due USING (slate_id)

-- name: close_slates
DELETE FROM open_slates WHERE slate_id = ANY($1::text[])

-- name: outbox
SELECT topic, key, records, outbox_id FROM outbox
ORDER BY outbox_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: add_outbox
INSERT INTO outbox (topic, key, records) VALUES ($1, $2, $3)

-- name: drop_outbox
DELETE FROM outbox WHERE outbox_id = ANY($1::bigint[])

-- name: add_served
INSERT INTO served_slates (slate_id, user_id, served_at_ms, kept_at_ms, record)
SELECT slate_id, user_id, served_at_ms, $5::bigint, record
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
    AS given(slate_id, user_id, served_at_ms, record)
ORDER BY slate_id ON CONFLICT DO NOTHING

-- name: position_counts
WITH latest AS MATERIALIZED (
    SELECT slate_id, item_ids, positions FROM impressions
    WHERE occurred_at_ms < $1 ORDER BY occurred_at_ms DESC LIMIT $2
), acted AS MATERIALIZED (
    SELECT DISTINCT slate_id, item_id FROM interactions
    WHERE slate_id IN (SELECT slate_id FROM latest) AND action = ANY($3::text[])
)
SELECT shown.item_id, shown.position, count(*) AS shown, count(acted.item_id) AS acted
FROM latest CROSS JOIN LATERAL unnest(item_ids, positions) AS shown(item_id, position)
LEFT JOIN acted ON acted.slate_id = latest.slate_id AND acted.item_id = shown.item_id
GROUP BY shown.item_id, shown.position

-- name: latest_served
SELECT record FROM served_slates ORDER BY served_at_ms DESC, slate_id DESC LIMIT $1

-- name: population
-- Some pages of the table: of two times as many users as are wanted, by the last ANALYZE's count.
SELECT embedding FROM users TABLESAMPLE SYSTEM (
    (SELECT CASE WHEN reltuples > 0 THEN least(100, 200.0 * $1 / reltuples) ELSE 100 END
     FROM pg_class WHERE oid = 'users'::regclass)
) LIMIT $1

-- name: reward_totals
SELECT coalesce(sum(impressions), 0), coalesce(sum(reward), 0) FROM posteriors

-- name: drop_fitting
DELETE FROM fittings WHERE name = $1

-- name: fitting
SELECT value FROM fittings WHERE name = $1

-- name: put_fitting
INSERT INTO fittings (name, value, fitted_at_ms) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, fitted_at_ms = excluded.fitted_at_ms

-- name: forget_interactions
DELETE FROM interactions WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM interactions WHERE kept_at_ms < $1 LIMIT $2))

-- name: forget_served
DELETE FROM served_slates WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM served_slates WHERE kept_at_ms < $1 LIMIT $2))

-- name: forget_impressions
-- What is still open stays: imported history is older than any retention when it arrives.
DELETE FROM impressions WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM impressions WHERE occurred_at_ms < $1
        AND NOT EXISTS (SELECT FROM open_slates WHERE open_slates.slate_id = impressions.slate_id)
    ORDER BY occurred_at_ms LIMIT $2))
