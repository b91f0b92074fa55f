"""Stripe: what is billed here is what it charges."""
