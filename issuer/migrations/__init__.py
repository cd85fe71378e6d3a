"""The steps from an empty database to `issuer.tables`, run by `issuer.database`."""
