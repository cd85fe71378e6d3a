"""`python -m issuer`: see `issuer.cli`."""

from issuer.cli.program import main

if __name__ == "__main__":
    main()
