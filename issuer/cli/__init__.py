"""The command line of an institution's operators: `python -m issuer`.

`program` puts the commands together and turns refusals into exit codes; each other module holds
the commands of one noun. Nothing is made silently: `init` makes keys and database.
"""
