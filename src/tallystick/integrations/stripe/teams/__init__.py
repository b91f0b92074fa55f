"""Which team is which customer of Stripe, and how it is billed there."""
