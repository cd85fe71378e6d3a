"""Every query, one module per noun.

Each function takes the session first, may `flush()` and never commits: the caller owns the
transaction. Absence is `None`, never an exception. Whatever belongs to an institution is asked for
with its PIC, so that another's row does not exist for the asker. What many may want at once is one
atomic statement (`wallet_sessions`, `status`).
"""
