"""What the issuer publishes: rendered and signed once, stored, served from memory.

`due.publish_due` renders what is behind, `cache.PublicationCache` holds it in each server. Keys,
trust list, status lists, type metadata and the offline bundle have a module each.
"""
