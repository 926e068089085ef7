-- The catalogue and everything that is learned: items, users, counters, posteriors, progress.
CREATE EXTENSION IF NOT EXISTS vector;

-- Levels are log2 of forward-decayed sums; this adds two sums without leaving the log domain.
CREATE FUNCTION add_levels(one double precision, other double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN greatest(one, other) + ln(1 + power(2.0::double precision, greatest(-abs(one - other), -1000))) / ln(2.0::double precision);

CREATE FUNCTION add_levels(one double precision[], other double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN (SELECT array_agg(coalesce(add_levels(a, b), a, b) ORDER BY n)
        FROM unnest(one, other) WITH ORDINALITY AS pairs(a, b, n));

CREATE TABLE items (
    item_id           text PRIMARY KEY,
    title             text NOT NULL,
    description       text NOT NULL DEFAULT '',
    category          text NOT NULL DEFAULT '',
    tags              text[] NOT NULL DEFAULT '{}',
    image_url         text NOT NULL DEFAULT '',
    clip_url          text NOT NULL DEFAULT '',
    item_url          text NOT NULL DEFAULT '',
    price             double precision,
    available         boolean NOT NULL DEFAULT true,
    published_at_ms   bigint NOT NULL DEFAULT 0,
    attributes        jsonb NOT NULL DEFAULT '{}',
    first_seen_ms     bigint NOT NULL,
    updated_at_ms     bigint NOT NULL,
    embedding         halfvec(64),
    embedding_version text NOT NULL DEFAULT ''
);
-- Measured on 10,000 items: ef_construction 64 finds as much as 100 (.967 and .971 of the nearest
-- hundred). What cannot be recommended is not in the index, so a search never comes back short.
CREATE INDEX items_embedding ON items USING hnsw (embedding halfvec_ip_ops)
    WITH (m = 16, ef_construction = 64) WHERE available;
CREATE INDEX items_first_seen ON items (first_seen_ms DESC, item_id);
CREATE INDEX items_category ON items (category);

-- One level per half-life of attune.popularity. Beside items, so that a hot counter never
-- rewrites the item's text. No index on the levels: an index would make every update cold.
CREATE TABLE item_counters (
    item_id text PRIMARY KEY REFERENCES items ON DELETE CASCADE,
    levels  double precision[] NOT NULL
) WITH (fillfactor = 50);

-- No index on neighbour_id: only deleting an item would use it, and with it 44,000 pairs took
-- 1.2 s to upsert instead of 0.5 s.
CREATE TABLE covisits (
    item_id      text NOT NULL,
    neighbour_id text NOT NULL,
    level        double precision NOT NULL,
    PRIMARY KEY (item_id, neighbour_id)
) WITH (fillfactor = 70);

-- No ANN index here: with one, measured upserts fell from 115,000 to 909 rows a second.
CREATE TABLE users (
    user_id         text PRIMARY KEY,
    embedding       bytea NOT NULL,                    -- 64 float32, little-endian
    covers_until_ms bigint NOT NULL,
    interactions    bigint NOT NULL,
    recent          bytea NOT NULL,                    -- msgpack: [[item, action, ms], ...]
    exposures       bytea NOT NULL                     -- msgpack: {item: times shown}
) WITH (fillfactor = 50);

CREATE TABLE user_items (
    user_id        text NOT NULL,
    item_id        text NOT NULL,
    action         text NOT NULL,
    occurred_at_ms bigint NOT NULL,
    PRIMARY KEY (user_id, item_id)
) WITH (fillfactor = 70);

CREATE TABLE posteriors (
    item_id     text NOT NULL,
    bucket      text NOT NULL,
    impressions double precision NOT NULL,
    reward      double precision NOT NULL,
    PRIMARY KEY (bucket, item_id)
) WITH (fillfactor = 50);
CREATE INDEX posteriors_item ON posteriors (item_id);

-- What was shown, with the propensities it was chosen with: the log of off-policy evaluation.
CREATE TABLE impressions (
    slate_id       text PRIMARY KEY,
    event_id       text NOT NULL,
    consent        text NOT NULL,
    user_id        text,
    session_id     text NOT NULL,
    occurred_at_ms bigint NOT NULL,
    surface        text NOT NULL,
    context        bytea NOT NULL,                     -- msgpack, as in the event
    policy_version bigint NOT NULL,
    model_version  text NOT NULL,
    item_ids       text[] NOT NULL,
    positions      smallint[] NOT NULL,
    propensities   real[] NOT NULL
);
CREATE INDEX impressions_occurred ON impressions (occurred_at_ms DESC);
CREATE INDEX impressions_user ON impressions (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE consumer_offsets (
    consumer_group text NOT NULL,
    topic          text NOT NULL,
    partition      integer NOT NULL,
    next_offset    bigint NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE processed_events (
    consumer_group  text NOT NULL,
    event_id        text NOT NULL,
    processed_at_ms bigint NOT NULL,
    PRIMARY KEY (consumer_group, event_id)
);
CREATE INDEX processed_events_age ON processed_events USING brin (processed_at_ms);

CREATE TABLE dead_letters (
    letter_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic        text NOT NULL,
    partition    integer NOT NULL,
    log_offset   bigint NOT NULL,
    key          text NOT NULL,
    value        bytea NOT NULL,
    problem      text NOT NULL,
    failed_at_ms bigint NOT NULL
);
