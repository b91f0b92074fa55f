"""API keys: made, listed, revoked and verified. The database holds only the hash of a secret."""
