"""What carries messages: one module per kind of channel. Each has a class with `send`."""
