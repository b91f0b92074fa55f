-- told_at  when something of a lane was last sent
ALTER TABLE stripe_lanes ADD COLUMN told_at timestamptz;
