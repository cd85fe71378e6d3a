"""The verifier at work on a machine: files, fetching bundles, remembering codes."""
