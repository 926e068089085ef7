-- What the benchmark of the boundary between active and inactive users asks.

-- name: empty
TRUNCATE users, deferred_events, items CASCADE

-- name: checkpoint
CHECKPOINT

-- name: written
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint
