-- What training reads of the store, and what it writes back.

-- name: items_after
SELECT item_id, title, description, category, tags, embedding, embedding_version
FROM items WHERE item_id > $1 ORDER BY item_id LIMIT $2

-- name: histories
-- $1: the most recent interactions that are read; a dismissal brings no two items together.
SELECT user_id, item_id FROM (
    SELECT user_id, item_id, occurred_at_ms FROM user_items
    WHERE action <> 'dismiss' ORDER BY occurred_at_ms DESC LIMIT $1
) AS latest
ORDER BY user_id, occurred_at_ms, item_id

-- name: users_after
SELECT user_id FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2
