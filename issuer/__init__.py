"""The institutions' side: students, their cards, keys, the ESC-Router, signing and publishing.

It imports `verifier` for every format and checks what it signs with it before release; it is
imported by `wallet_api`, which shares its database. Tables are in `issuer.tables`, queries in
`issuer.store`, the life of a card in `issuer.lifecycle`, files of students in
`issuer.importing`. Time is always an argument.
"""
