"""What Stripe has counted, held against what it said yes to and against the ledger; and put right, within limits."""
