-- What the stream's benchmark asks the database.

-- name: create_scratch
CREATE TABLE bench_users (LIKE users INCLUDING ALL)

-- name: upsert_scratch
INSERT INTO bench_users (user_id, embedding, covers_until_ms, interactions, recent, exposures)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])
    AS given(user_id, embedding, covers_until_ms, interactions, recent, exposures)
ON CONFLICT (user_id) DO UPDATE SET
    embedding = excluded.embedding, covers_until_ms = excluded.covers_until_ms,
    interactions = excluded.interactions, recent = excluded.recent, exposures = excluded.exposures

-- name: drop_scratch
DROP TABLE bench_users

-- name: empty
TRUNCATE users, seen_events, consumer_offsets, recent_items, deferred_events, user_items, item_counters, covisits

-- name: checkpoint
CHECKPOINT

-- name: behind
SELECT consumer_group, sum(next_offset)::bigint FROM consumer_offsets WHERE topic = $1
GROUP BY consumer_group

-- name: sizes
SELECT pg_total_relation_size('users')::double precision / greatest(count(*), 1) AS disk,
       coalesce(avg(octet_length(embedding) + octet_length(recent) + octet_length(exposures) + 16),
                0)::double precision AS state,
       count(*) AS users
FROM users

-- name: embeddings
SELECT user_id, embedding FROM users WHERE user_id = ANY($1::text[])
