"""Background work: the loops that run beside the requests, or in a process of their own."""
