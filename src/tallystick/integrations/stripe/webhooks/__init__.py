"""What Stripe tells of its own accord."""
