"""Other systems: what they send here, and what is sent to them."""
