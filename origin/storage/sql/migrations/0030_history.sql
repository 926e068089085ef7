-- The offline side of the feature store: what was decided, what was done, what it was worth.

-- Interactions as they happened, of users and with shown slates: what sequences, labels and rewards
-- are read from. Never changed; pruned in the order of arrival, which is the order on disk.
CREATE TABLE interactions (
    user_id        text,
    slate_id       text,
    item_id        text NOT NULL,
    action         text NOT NULL,
    occurred_at_ms bigint NOT NULL,
    kept_at_ms     bigint NOT NULL
);
CREATE INDEX interactions_user ON interactions (user_id, occurred_at_ms) WHERE user_id IS NOT NULL;
CREATE INDEX interactions_slate ON interactions (slate_id) WHERE slate_id IS NOT NULL;
CREATE INDEX interactions_age ON interactions USING brin (kept_at_ms);

-- What a slate's items earned is the best of their interactions; nothing else needs to be kept.
DROP TABLE earned_rewards;

-- Slates that may still earn: beside impressions, which are never rewritten.
CREATE TABLE open_slates (
    slate_id     text PRIMARY KEY,
    closes_at_ms bigint NOT NULL
);
CREATE INDEX open_slates_due ON open_slates (closes_at_ms);

-- Records on their way to the event log, written in the transaction that decided them.
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text NOT NULL,
    key       bytea NOT NULL,
    records   bytea[] NOT NULL
);

-- The edge's decisions with the features they were made from, in the form of topic impressions.
CREATE TABLE served_slates (
    slate_id     text PRIMARY KEY,
    user_id      text,
    served_at_ms bigint NOT NULL,
    kept_at_ms   bigint NOT NULL,
    record       bytea NOT NULL
);
CREATE INDEX served_slates_served ON served_slates (served_at_ms, slate_id);
CREATE INDEX served_slates_user ON served_slates (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX served_slates_age ON served_slates USING brin (kept_at_ms);

-- Small things that are fitted now and then: how positions are examined, drift's baselines.
CREATE TABLE fittings (
    name         text PRIMARY KEY,
    value        bytea NOT NULL,
    fitted_at_ms bigint NOT NULL
);
