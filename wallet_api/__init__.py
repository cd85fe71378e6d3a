"""The phones' side: OpenID4VCI 1.0, devices and their refresh.

A thin edge over `issuer`, whose database it shares: taking a code, burning a nonce, taking a
status index and recording a credential are transactions of one database. It holds no rule about
cards and no signing key; those are behind `issuer.lifecycle` and `issuer.keys`.
"""
