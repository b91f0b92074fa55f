"""Bills that are made here and collected by Stripe."""
