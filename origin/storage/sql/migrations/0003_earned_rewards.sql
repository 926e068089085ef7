-- What items of slates have earned so far: a click and then a purchase are one reward, the best.
CREATE TABLE earned_rewards (
    slate_id     text NOT NULL,
    item_id      text NOT NULL,
    reward       double precision NOT NULL,
    earned_at_ms bigint NOT NULL,
    PRIMARY KEY (slate_id, item_id)
) WITH (fillfactor = 70);
CREATE INDEX earned_rewards_age ON earned_rewards USING brin (earned_at_ms);
