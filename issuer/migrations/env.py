"""What Alembic runs: the steps, on the connection that `issuer.database` hands over.

There is no alembic.ini and no database address here: a migration happens only through
`issuer.database.upgrade_database`, in one transaction.
"""

from alembic import context
from sqlmodel import SQLModel

from issuer import tables

__all__ = ["tables"]

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
