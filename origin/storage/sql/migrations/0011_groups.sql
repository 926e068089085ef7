-- The users' embeddings are learned by a group of their own, which nothing slower holds up.

-- The other group goes its own pace through the same events, so it has its own memory of what users
-- did lately: what `users` holds may be ahead of it.
CREATE TABLE recent_items (
    user_id text PRIMARY KEY,
    recent  bytea NOT NULL                             -- in the form of users.recent
) WITH (fillfactor = 70);
INSERT INTO recent_items SELECT user_id, recent FROM users;

INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset)
SELECT 'users', topic, partition, next_offset FROM consumer_offsets
WHERE consumer_group = 'learning' AND topic = 'events'
ON CONFLICT DO NOTHING;

INSERT INTO seen_events (consumer_group, topic, partition, end_offset, hashes)
SELECT 'users', topic, partition, end_offset, hashes FROM seen_events
WHERE consumer_group = 'learning' AND topic = 'events'
ON CONFLICT DO NOTHING;

-- What nobody can read is put aside once, not once by every group that meets it.
CREATE UNIQUE INDEX dead_letters_place ON dead_letters (topic, partition, log_offset, md5(value));
