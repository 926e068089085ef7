-- What serving reads and what the catalogue's editors write.

-- name: user_state
SELECT embedding, covers_until_ms, interactions, recent, exposures,
       ARRAY(SELECT item_id FROM user_items
             WHERE user_id = $1 AND action = ANY($2::text[])
             ORDER BY occurred_at_ms DESC LIMIT $3) AS seen
FROM users WHERE user_id = $1

-- name: nearest
SELECT item_id, -(embedding <#> $1) AS score FROM items
WHERE available ORDER BY embedding <#> $1 LIMIT $2

-- name: together
-- Not joined with items: those that are withdrawn drop out when the rows are looked up anyway, and
-- until the tables are analysed for the first time the join costs 20 ms instead of 1.
SELECT seeds.item_id AS seed_id, found.neighbour_id AS item_id, found.level
FROM unnest($1::text[]) AS seeds(item_id),
LATERAL (SELECT neighbour_id, level FROM covisits
         WHERE covisits.item_id = seeds.item_id
         ORDER BY level DESC, neighbour_id LIMIT $2) AS found

-- name: trending
SELECT item_id, levels[$3::integer] AS score FROM item_counters JOIN items USING (item_id)
WHERE available AND ($2::text IS NULL OR category = $2)
ORDER BY levels[$3::integer] DESC, item_id LIMIT $1

-- name: newest
SELECT item_id, first_seen_ms::double precision AS score FROM items
WHERE available ORDER BY first_seen_ms DESC, item_id LIMIT $1

-- name: item_rows
SELECT item_id, title, '' AS description, category, tags, image_url, clip_url, item_url, price,
       available, published_at_ms, NULL AS attributes, first_seen_ms, embedding,
       embedding_version, levels
FROM items LEFT JOIN item_counters USING (item_id) WHERE item_id = ANY($1::text[])

-- name: policy_counts
SELECT item_id, bucket, impressions, reward, category FROM posteriors JOIN items USING (item_id)
ORDER BY impressions DESC, bucket, item_id LIMIT $1

-- name: policy_state
-- One statement sees one instant: the counts, and where their consumer group stood when they were so.
(SELECT item_id, bucket, impressions, reward, category,
        NULL::integer AS partition, NULL::bigint AS next_offset
 FROM posteriors JOIN items USING (item_id)
 ORDER BY impressions DESC, bucket, item_id LIMIT $1)
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, partition, next_offset
FROM consumer_offsets WHERE consumer_group = $2 AND topic = $3

-- name: recent_impressions
SELECT * FROM impressions ORDER BY occurred_at_ms DESC LIMIT $1

-- name: item
SELECT item_id, title, description, category, tags, image_url, clip_url, item_url, price,
       available, published_at_ms, attributes::text AS attributes, first_seen_ms, embedding,
       embedding_version, levels
FROM items LEFT JOIN item_counters USING (item_id) WHERE item_id = $1

-- name: items_after
SELECT item_id, title, description, category, tags, image_url, clip_url, item_url, price,
       available, published_at_ms, attributes::text AS attributes, first_seen_ms, embedding,
       embedding_version, levels
FROM items LEFT JOIN item_counters USING (item_id)
WHERE item_id > $1 ORDER BY item_id LIMIT $2

-- name: put_items
INSERT INTO items (item_id, title, description, category, tags, image_url, clip_url, item_url,
                   price, available, published_at_ms, attributes, first_seen_ms, updated_at_ms)
SELECT item_id, title, description, category, tags, image_url, clip_url, item_url,
       price, available, published_at_ms, attributes, $2, $2
FROM jsonb_to_recordset($1::jsonb) AS given(
    item_id text, title text, description text, category text, tags text[], image_url text,
    clip_url text, item_url text, price double precision, available boolean,
    published_at_ms bigint, attributes jsonb)
ORDER BY item_id
ON CONFLICT (item_id) DO UPDATE SET
    title = excluded.title, description = excluded.description, category = excluded.category,
    tags = excluded.tags, image_url = excluded.image_url, clip_url = excluded.clip_url,
    item_url = excluded.item_url, price = excluded.price, available = excluded.available,
    published_at_ms = excluded.published_at_ms, attributes = excluded.attributes,
    updated_at_ms = excluded.updated_at_ms
RETURNING xmax = 0 AS is_new

-- name: put_embeddings
UPDATE items SET embedding = given.embedding, embedding_version = $3
FROM unnest($1::text[], $2::halfvec[]) AS given(item_id, embedding)
WHERE items.item_id = given.item_id

-- name: delete_item
WITH gone AS (DELETE FROM items WHERE item_id = $1 RETURNING item_id),
     forgotten_pairs AS (DELETE FROM covisits WHERE item_id = $1 OR neighbour_id = $1),
     forgotten_counts AS (DELETE FROM posteriors WHERE item_id = $1)
SELECT count(*) FROM gone

-- name: counts
SELECT (SELECT count(*) FROM items) AS items,
       (SELECT count(*) FROM items WHERE embedding IS NOT NULL) AS items_with_embedding,
       (SELECT count(*) FROM users) AS users,
       (SELECT coalesce(sum(interactions), 0)::bigint FROM users) AS interactions,
       (SELECT count(*) FROM impressions) AS impressions,
       (SELECT count(*) FROM dead_letters) AS dead_letters

-- name: group_offsets
SELECT consumer_group, partition, next_offset FROM consumer_offsets WHERE topic = $1
