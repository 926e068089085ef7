-- Only what happened before the latest erasure can be an erased user's: nearly nothing, when it is live.
CREATE INDEX erased_users_latest ON erased_users (erased_at_ms DESC);
