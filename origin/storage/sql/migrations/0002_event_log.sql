-- The embedded event log: records, and one counter row per partition.

CREATE TABLE event_log_partitions (
    topic text NOT NULL,
    partition integer NOT NULL,
    -- A writer locks this row until it commits, so offsets become visible in order and leave no gap.
    next_offset bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 20);

CREATE TABLE event_log (
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    appended_at_ms bigint NOT NULL,
    PRIMARY KEY (topic, partition, record_offset)
);

CREATE FUNCTION notify_event_log_readers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY event_log;
    RETURN NULL;
END
$$;

CREATE TRIGGER wake_readers AFTER INSERT ON event_log
    FOR EACH STATEMENT EXECUTE FUNCTION notify_event_log_readers();
