"""The catalogue: one YAML file that says what is counted, what it costs and who is on which plan."""
