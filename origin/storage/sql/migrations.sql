-- name: lock
SELECT pg_advisory_lock($1)

-- name: applied
SELECT name FROM schema_migrations

-- name: create_table
CREATE TABLE schema_migrations (
    name       text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: remember
INSERT INTO schema_migrations (name) VALUES ($1)
