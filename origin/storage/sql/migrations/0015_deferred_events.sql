-- Events of users who are not active: the daily batch, or the user's coming back, applies them.
-- One row per user, to which events are appended in the order of the log.
CREATE TABLE deferred_events (
    user_id      text PRIMARY KEY,
    events_count integer NOT NULL,
    latest_ms    bigint NOT NULL,                      -- of the interactions among them; 0 without any
    events       bytea NOT NULL                        -- msgpack arrays, one behind the other
) WITH (fillfactor = 70);
