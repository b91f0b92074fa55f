"""What Lago's producers speak: events, one by one and in batches."""
