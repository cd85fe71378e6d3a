"""A router of our own: the ESC-Router's published v2 paths, views and error codes.

For demonstrations, tests and institutions that prepare their connection. It runs inside another
program by `create_sandbox`, or by `python -m issuer.esc_router.sandbox`. What the published
document leaves open and nobody has measured is our guess, and said so where it stands; a code
beginning with `SB-` is the sandbox's own, where the real one is not known.

Served: the 18 operations of the document and the public verification service. Each noun is a
module with its router; what is stored of it is in `stored_<noun>`.
"""

from issuer.esc_router.sandbox.app import create_sandbox
from issuer.esc_router.sandbox.organisations import Organisation

__all__ = ["Organisation", "create_sandbox"]
