"""PostgreSQL: the embedded server or one of your own, its pool, schema and named statements."""
