-- What stream processors read and write, always inside one transaction per batch.
-- Rows are touched in the order of their keys, so that two processors never wait in a circle.

-- name: start_offsets
INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset)
SELECT $1, $2, partition, 0 FROM unnest($3::integer[]) AS given(partition)
ORDER BY partition
ON CONFLICT DO NOTHING

-- name: next_offsets
SELECT partition, next_offset FROM consumer_offsets
WHERE consumer_group = $1 AND topic = $2 AND partition = ANY($3::integer[])
ORDER BY partition FOR UPDATE

-- name: set_next_offsets
INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset)
SELECT $1, $2, partition, next_offset
FROM unnest($3::integer[], $4::bigint[]) AS given(partition, next_offset)
ORDER BY partition
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = excluded.next_offset

-- name: seen_events
SELECT partition, string_agg(hashes, ''::bytea ORDER BY end_offset) AS hashes FROM seen_events
WHERE consumer_group = $1 AND topic = $2 AND partition = ANY($3::integer[])
GROUP BY partition

-- name: add_seen_events
INSERT INTO seen_events (consumer_group, topic, partition, end_offset, hashes)
SELECT $1, $2, partition, end_offset, hashes
FROM unnest($3::integer[], $4::bigint[], $5::bytea[]) AS given(partition, end_offset, hashes)
-- A partition that was replaced by a shorter one comes by the same offsets again.
ON CONFLICT (consumer_group, topic, partition, end_offset) DO UPDATE SET
    hashes = seen_events.hashes || excluded.hashes

-- name: forget_seen_events
DELETE FROM seen_events USING unnest($3::integer[], $4::bigint[]) AS given(partition, before_offset)
WHERE consumer_group = $1 AND topic = $2 AND seen_events.partition = given.partition
  AND end_offset <= given.before_offset

-- name: merge_seen_events
-- Many small rows become one, or a quiet stream's would be read one by one at the next start.
WITH small AS (
    DELETE FROM seen_events
    WHERE consumer_group = $1 AND topic = $2 AND partition = ANY($3::integer[])
      AND octet_length(hashes) < $4
    RETURNING partition, end_offset, hashes
)
INSERT INTO seen_events (consumer_group, topic, partition, end_offset, hashes)
SELECT $1, $2, partition, max(end_offset), string_agg(hashes, ''::bytea ORDER BY end_offset)
FROM small GROUP BY partition

-- name: own_users
SELECT set_config('attune.owns_users', 'on', true), pg_advisory_xact_lock_shared(6846464)

-- name: users_epoch
SELECT epoch FROM users_epoch

-- name: lock_users
SELECT pg_advisory_xact_lock(6846464)

-- name: user_columns
SELECT user_id, embedding, covers_until_ms, interactions, recent, exposures
FROM users WHERE user_id = ANY($1::text[])

-- name: put_users
INSERT INTO users (user_id, embedding, covers_until_ms, interactions, recent, exposures)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])
    AS given(user_id, embedding, covers_until_ms, interactions, recent, exposures)
ON CONFLICT (user_id) DO UPDATE SET
    embedding = excluded.embedding, covers_until_ms = excluded.covers_until_ms,
    interactions = excluded.interactions, recent = excluded.recent, exposures = excluded.exposures

-- name: add_user_items
INSERT INTO user_items (user_id, item_id, action, occurred_at_ms)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS given(user_id, item_id, action, occurred_at_ms)
ORDER BY user_id, item_id
ON CONFLICT (user_id, item_id) DO UPDATE SET
    -- A look in passing does not make a bought item unknown again.
    action = CASE WHEN excluded.action = 'view' THEN user_items.action ELSE excluded.action END,
    occurred_at_ms = greatest(user_items.occurred_at_ms, excluded.occurred_at_ms)

-- name: embeddings
SELECT item_id, embedding FROM items
WHERE item_id = ANY($1::text[]) AND embedding IS NOT NULL

-- name: recent_items
SELECT user_id, recent FROM recent_items WHERE user_id = ANY($1::text[])

-- name: put_recent_items
INSERT INTO recent_items (user_id, recent)
SELECT * FROM unnest($1::text[], $2::bytea[]) AS given(user_id, recent)
ON CONFLICT (user_id) DO UPDATE SET recent = excluded.recent

-- name: add_popularity
INSERT INTO item_counters (item_id, levels)
SELECT given.item_id, ($2::double precision[])[(n - 1) * $3 + 1 : n * $3]
FROM unnest($1::text[]) WITH ORDINALITY AS given(item_id, n) JOIN items USING (item_id)
ORDER BY given.item_id
ON CONFLICT (item_id) DO UPDATE SET levels = add_levels(item_counters.levels, excluded.levels)

-- name: add_covisits
INSERT INTO covisits (item_id, neighbour_id, level)
SELECT * FROM unnest($1::text[], $2::text[], $3::double precision[])
    AS given(item_id, neighbour_id, level)
ORDER BY item_id, neighbour_id
ON CONFLICT (item_id, neighbour_id) DO UPDATE SET level = add_levels(covisits.level, excluded.level)

-- name: prune_covisits
-- A page of seeds in the order of ids, from behind $1; most of them have nothing to lose.
WITH RECURSIVE page (item_id, number) AS (
    (SELECT item_id, 1 FROM covisits WHERE item_id > $1 ORDER BY item_id LIMIT 1)
    UNION ALL
    SELECT (SELECT covisits.item_id FROM covisits WHERE covisits.item_id > page.item_id
            ORDER BY covisits.item_id LIMIT 1), number + 1
    FROM page WHERE page.item_id IS NOT NULL AND number < $2
), placed AS (
    SELECT covisits.item_id, neighbour_id,
           row_number() OVER (PARTITION BY covisits.item_id ORDER BY level DESC) AS place
    FROM covisits JOIN page USING (item_id)
), gone AS (
    DELETE FROM covisits USING placed
    WHERE covisits.item_id = placed.item_id AND covisits.neighbour_id = placed.neighbour_id
      AND placed.place > $3
)
SELECT max(item_id) FROM page

-- name: add_rewards
INSERT INTO posteriors (item_id, bucket, impressions, reward)
SELECT * FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[])
    AS given(item_id, bucket, impressions, reward)
ORDER BY bucket, item_id
ON CONFLICT (bucket, item_id) DO UPDATE SET
    impressions = posteriors.impressions + excluded.impressions,
    reward = posteriors.reward + excluded.reward

-- name: add_dead_letter
INSERT INTO dead_letters (topic, partition, log_offset, key, value, problem, failed_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (topic, partition, log_offset, md5(value)) DO NOTHING
