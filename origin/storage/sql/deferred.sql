-- Events of users who are not active, which wait for the daily batch.

-- name: deferred_latest
SELECT user_id, latest_ms FROM deferred_events WHERE user_id = ANY($1::text[])

-- name: defer
INSERT INTO deferred_events (user_id, events_count, latest_ms, events)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[])
    AS given(user_id, events_count, latest_ms, events)
ON CONFLICT (user_id) DO UPDATE SET
    events_count = deferred_events.events_count + excluded.events_count,
    latest_ms = greatest(deferred_events.latest_ms, excluded.latest_ms),
    events = deferred_events.events || excluded.events

-- name: take_deferred
DELETE FROM deferred_events WHERE user_id = ANY($1::text[])
RETURNING user_id, events_count, latest_ms, events

-- name: take_deferred_page
DELETE FROM deferred_events WHERE user_id IN
    (SELECT user_id FROM deferred_events ORDER BY user_id LIMIT $1)
RETURNING user_id, events_count, latest_ms, events

-- name: change_epoch
-- Whoever remembers users, or what waits for them, reads both anew.
UPDATE users_epoch SET epoch = epoch + 1
