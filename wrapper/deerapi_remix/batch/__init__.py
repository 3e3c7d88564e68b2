"""Many remixes from a table, on a durable engine. The ledger owns the money.

Needs the extra `batch`; Postgres needs the extra `postgres`, too.
"""
