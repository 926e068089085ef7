-- What people who look after the stream ask and do.

-- name: offsets
SELECT consumer_group, topic, partition, next_offset FROM consumer_offsets
ORDER BY topic, consumer_group, partition

-- name: waiting
-- What is written but not yet in its topic.
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT coalesce(sum(log.next_offset - coalesce(done.next_offset, 0)), 0)::bigint
        FROM event_log_partitions AS log
        LEFT JOIN consumer_offsets AS done
            ON done.consumer_group = $2 AND done.topic = log.topic AND done.partition = log.partition
        WHERE log.topic = $1) AS spilled

-- name: dead_letter_counts
SELECT topic, problem, count(*) AS letters, max(failed_at_ms) AS latest_at_ms
FROM dead_letters GROUP BY topic, problem ORDER BY letters DESC, topic, problem LIMIT $1

-- name: dead_letters
SELECT letter_id, topic, partition, log_offset, key, value, problem, failed_at_ms
FROM dead_letters
WHERE letter_id > $1 AND ($2::text IS NULL OR topic = $2)
    AND ($3::bigint[] IS NULL OR letter_id = ANY($3::bigint[]))
ORDER BY letter_id LIMIT $4

-- name: newest_dead_letter
SELECT coalesce(max(letter_id), 0) FROM dead_letters

-- name: drop_dead_letters
DELETE FROM dead_letters WHERE letter_id = ANY($1::bigint[])

-- name: lock_offsets
SELECT partition, next_offset FROM consumer_offsets
WHERE consumer_group = $1 AND topic = $2 ORDER BY partition FOR UPDATE

-- name: move_offsets
UPDATE consumer_offsets SET next_offset = given.next_offset
FROM unnest($3::integer[], $4::bigint[]) AS given (partition, next_offset)
WHERE consumer_group = $1 AND topic = $2 AND consumer_offsets.partition = given.partition

-- name: lock_all_offsets
-- Processors lock theirs first thing in a transaction: whoever holds all of them is alone.
SELECT partition FROM consumer_offsets WHERE consumer_group <> $1
ORDER BY consumer_group, topic, partition FOR UPDATE

-- name: forget_learned
TRUNCATE users, user_items, item_counters, covisits, posteriors, impressions, interactions,
    open_slates, served_slates, recent_items, deferred_events, fittings, seen_events

-- name: forget_offsets
DELETE FROM consumer_offsets WHERE consumer_group <> $1
