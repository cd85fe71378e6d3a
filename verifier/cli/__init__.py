"""The command line of the verifier: `python -m verifier`."""
