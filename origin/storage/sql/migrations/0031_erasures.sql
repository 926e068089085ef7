-- Users who want to be forgotten. Their ids are kept as hashes alone, so that events which come late
-- or are replayed are known to be theirs.
CREATE TABLE erased_users (
    user_hash    bytea PRIMARY KEY,
    erased_at_ms bigint NOT NULL
);

CREATE TABLE erasure_receipts (
    erasure_id        text PRIMARY KEY,
    requested_at_ms   bigint NOT NULL,
    erased_at_ms      bigint NOT NULL,
    log_expires_at_ms bigint NOT NULL,
    removed           jsonb NOT NULL
);
