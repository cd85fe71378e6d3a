"""Passes for the wallets of Apple and Google: their codes, their renewal, and telling phones.

A pass carries a printed card's code (E1, status profile), so it proves less than a live one. How
a pass is drawn and handed out is `wallet_api.passes`; docs/passes.md says it for operators.
"""
