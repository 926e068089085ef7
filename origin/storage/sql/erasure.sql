-- Forgetting a user.

-- name: wait_for_batches
-- Every batch of every group locks its offsets first and keeps them to its end. So whoever holds
-- them all knows that no batch is under way which does not know the tombstone yet.
SELECT FROM consumer_offsets WHERE topic = ANY($1::text[])
ORDER BY consumer_group, topic, partition FOR UPDATE

-- name: add_tombstone
INSERT INTO erased_users (user_hash, erased_at_ms) VALUES ($1, $2)
ON CONFLICT (user_hash) DO UPDATE
SET erased_at_ms = greatest(erased_users.erased_at_ms, excluded.erased_at_ms)

-- name: erase_user
-- What the user did after the request begins a new history, which stays.
WITH gone_users AS (DELETE FROM users WHERE user_id = $1 RETURNING 1),
     gone_recents AS (DELETE FROM recent_items WHERE user_id = $1 RETURNING 1),
     gone_deferred AS (DELETE FROM deferred_events WHERE user_id = $1 RETURNING 1),
     gone_items AS (DELETE FROM user_items WHERE user_id = $1 RETURNING 1),
     gone_impressions AS (DELETE FROM impressions
         WHERE user_id = $1 AND occurred_at_ms <= $2 RETURNING slate_id),
     gone_interactions AS (DELETE FROM interactions
         WHERE user_id = $1 AND occurred_at_ms <= $2 RETURNING 1),
     gone_served AS (DELETE FROM served_slates
         WHERE user_id = $1 AND served_at_ms <= $2 RETURNING 1),
     gone_open AS (DELETE FROM open_slates USING gone_impressions
         WHERE open_slates.slate_id = gone_impressions.slate_id RETURNING 1),
     gone_letters AS (DELETE FROM dead_letters
         WHERE key = $1 AND failed_at_ms <= $2 RETURNING 1)
SELECT (SELECT count(*) FROM gone_users) AS users,
       (SELECT count(*) FROM gone_items) AS user_items,
       (SELECT count(*) FROM gone_impressions) AS impressions,
       (SELECT count(*) FROM gone_interactions) AS interactions,
       (SELECT count(*) FROM gone_served) AS served_slates,
       (SELECT count(*) FROM gone_open) AS open_slates,
       (SELECT count(*) FROM gone_letters) AS dead_letters

-- name: erased_users
SELECT user_hash, erased_at_ms FROM erased_users WHERE user_hash = ANY($1::bytea[])

-- name: latest_erasure
SELECT max(erased_at_ms) FROM erased_users

-- name: add_receipt
INSERT INTO erasure_receipts (erasure_id, requested_at_ms, erased_at_ms, log_expires_at_ms, removed)
VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (erasure_id) DO NOTHING

-- name: receipt
SELECT erasure_id, requested_at_ms, erased_at_ms, log_expires_at_ms, removed::text AS removed
FROM erasure_receipts WHERE erasure_id = $1
