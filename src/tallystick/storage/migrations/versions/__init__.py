"""One module and one SQL file per step."""
