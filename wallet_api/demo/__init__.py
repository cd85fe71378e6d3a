"""`make demo`: the whole journey once, with the real commands, services and formats.

It starts what a deployment runs (issuer with its worker, wallet API, an ESC-Router sandbox) on
free ports of this machine, and then does what people do: staff at a command line, a student's
phone, a provider whose network is cut. Nothing is simulated but the router, whose sandbox
speaks its published interface.
"""
