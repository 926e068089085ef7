-- name: create_topic
-- A topic keeps the number of partitions that it was created with.
INSERT INTO event_log_partitions (topic, partition)
SELECT $1, partition FROM generate_series(0, $2::integer - 1) AS partition
WHERE NOT EXISTS (SELECT FROM event_log_partitions WHERE topic = $1)
ON CONFLICT DO NOTHING

-- name: partitions
SELECT count(*) FROM event_log_partitions WHERE topic = $1

-- name: end_offsets
SELECT partition, next_offset FROM event_log_partitions WHERE topic = $1

-- name: offsets_at
-- Times rise with the offsets but for the milliseconds that writers wait for each other; there is no
-- index on them, so this reads a topic from its start.
SELECT counter.partition, coalesce(
    (SELECT min(record_offset) FROM event_log
     WHERE topic = counter.topic AND partition = counter.partition AND appended_at_ms >= $2),
    counter.next_offset
) AS first_offset
FROM event_log_partitions AS counter WHERE topic = $1

-- name: times_at
-- $2 partitions, $3 an offset of each.
SELECT wanted.partition, found.appended_at_ms
FROM unnest($2::integer[], $3::bigint[]) AS wanted (partition, first_offset)
CROSS JOIN LATERAL (
    SELECT appended_at_ms FROM event_log
    WHERE topic = $1
        AND event_log.partition = wanted.partition
        AND record_offset >= wanted.first_offset
    ORDER BY record_offset
    LIMIT 1
) AS found

-- name: append
-- $2 partitions, $3 keys, $4 values: one entry per record, in the order of appending. The counter
-- rows are locked in the order of partitions, so that two writers never wait for each other.
-- Returns the offset of each partition's first record.
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::bytea[], $4::bytea[])
        WITH ORDINALITY AS incoming (partition, key, value, place)
), sizes AS MATERIALIZED (
    SELECT partition, count(*) AS records FROM incoming GROUP BY partition
), locked AS MATERIALIZED (
    SELECT partition, next_offset FROM event_log_partitions
    WHERE topic = $1 AND partition IN (SELECT partition FROM sizes)
    ORDER BY partition
    FOR UPDATE
), advanced AS (
    UPDATE event_log_partitions AS counter
    SET next_offset = locked.next_offset + sizes.records
    FROM locked JOIN sizes USING (partition)
    WHERE counter.topic = $1 AND counter.partition = locked.partition
), appended AS (
    INSERT INTO event_log (topic, partition, record_offset, key, value, appended_at_ms)
    SELECT
        $1,
        partition,
        locked.next_offset - 1 + row_number() OVER (PARTITION BY partition ORDER BY incoming.place),
        incoming.key,
        incoming.value,
        floor(extract(epoch FROM clock_timestamp()) * 1000)
    FROM incoming JOIN locked USING (partition)
)
SELECT partition, next_offset FROM locked

-- name: read
-- $2 partitions, $3 the first offset wanted of each, $4 records at most of each.
SELECT wanted.partition, found.record_offset, found.key, found.value, found.appended_at_ms
FROM unnest($2::integer[], $3::bigint[]) AS wanted (partition, first_offset)
CROSS JOIN LATERAL (
    SELECT record_offset, key, value, appended_at_ms FROM event_log
    WHERE topic = $1
        AND event_log.partition = wanted.partition
        AND record_offset >= wanted.first_offset
    ORDER BY record_offset
    LIMIT $4
) AS found
ORDER BY wanted.partition, found.record_offset

-- name: drop
-- $2 partitions, $3 the first offset to keep of each.
DELETE FROM event_log USING unnest($2::integer[], $3::bigint[]) AS given (partition, first_offset)
WHERE event_log.topic = $1
    AND event_log.partition = given.partition
    AND event_log.record_offset < given.first_offset

-- name: prune
-- Drops up to $3 records of each partition that were appended before $2 milliseconds ago.
-- Materialized: before the first ANALYZE the planner would look for the ends once per record.
WITH expired AS MATERIALIZED (
    SELECT counter.partition, ends.last_offset
    FROM event_log_partitions AS counter
    CROSS JOIN LATERAL (
        SELECT max(record_offset) AS last_offset FROM (
            SELECT record_offset, appended_at_ms FROM event_log
            WHERE topic = counter.topic AND partition = counter.partition
            ORDER BY record_offset
            LIMIT $3
        ) AS oldest
        WHERE appended_at_ms < floor(extract(epoch FROM clock_timestamp()) * 1000) - $2::bigint
    ) AS ends
    WHERE counter.topic = $1 AND ends.last_offset IS NOT NULL
)
DELETE FROM event_log
USING expired
WHERE event_log.topic = $1
    AND event_log.partition = expired.partition
    AND event_log.record_offset <= expired.last_offset

-- name: join_group
-- Held until the connection ends: a killed member leaves its group by dying.
SELECT pg_advisory_lock_shared(hashtext('event_log:' || $1), hashtext($2))

-- name: group_members
SELECT pid, pid = pg_backend_pid() AS myself
FROM pg_locks
WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = (hashtext('event_log:' || $1)::bigint & 4294967295)::oid
    AND objid = (hashtext($2)::bigint & 4294967295)::oid
    AND objsubid = 2
    AND granted
ORDER BY pid
