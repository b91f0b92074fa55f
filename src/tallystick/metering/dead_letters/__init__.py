"""Dead letters: rejected events, kept as they were sent until they are repaired, replayed or discarded."""
