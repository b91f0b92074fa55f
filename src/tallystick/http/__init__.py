"""What every domain's `routes.py` shares: who is asking, problem+json, paging, request bodies and answers."""
