"""The sections of a billing file: one module checks and reads each."""
