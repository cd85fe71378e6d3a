"""The institution's line to the ESC-Router, version 2 of its interface.

`client` speaks to the router, `outbox` holds what the router must learn, `delivery` brings the
two together; `sandbox` is a router of our own for demonstrations and tests, a product by itself.
"""
