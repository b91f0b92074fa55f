"""Hooks that record every job of a task queue: of Celery, RQ and procrastinate, each in a module of its own.

Importing this package imports none of them.
"""
