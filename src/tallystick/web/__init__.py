"""The dashboard's files, served to anybody: what they show, they ask the API for, with the key of who looks."""
