"""A student's phone on the command line: takes cards, shows them, keeps them current.

It stands for the app that others write: it speaks OpenID4VCI 1.0 and the device API over HTTP
and imports nothing of the issuer's, the wallet API's or the verifier's code. Run it with
`python -m mobile_stub --help`.
"""
