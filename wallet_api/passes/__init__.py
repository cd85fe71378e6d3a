"""Passes for the wallets of Apple and Google: drawn, signed, handed out, and followed.

Optional: where settings name no certificate and no service account, nothing of it is there. Whose
code a pass carries and how long it lives is `issuer.passes`; docs/passes.md describes both.
"""
