"""What keeping in step with the ESC-Router needs: consent, erasure, circuit, reconciliation."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW_COLUMNS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "institution": [
        ("router_paused_until", sa.BigInteger(), {"nullable": False, "server_default": "0"}),
        ("asks_consent", sa.Boolean(), {"nullable": False, "server_default": sa.false()}),
        ("router_repairs", sa.JSON(), {"nullable": False, "server_default": "[]"}),
        ("reconcile_every", sa.BigInteger(), {"nullable": True}),
    ],
    "student": [
        ("consented_at", sa.BigInteger(), {"nullable": True}),
        ("erasing_since", sa.BigInteger(), {"nullable": True}),
        ("erased_at", sa.BigInteger(), {"nullable": True}),
    ],
    "card": [("adopted_at", sa.BigInteger(), {"nullable": True})],
    "delivery": [("failing_since", sa.BigInteger(), {"nullable": True})],
}
_NEW_TABLES = (
    "worker_round",
    "router_circuit",
    "erasure",
    "reconciliation_seen",
    "router_difference",
)


def upgrade() -> None:
    for table, columns in _NEW_COLUMNS.items():
        for name, kind, options in columns:
            op.add_column(table, sa.Column(name, kind, **options))

    # Counting where cards stand with the router must not read every row.
    op.drop_index("ix_card_pic", "card")
    op.create_index("ix_card_router", "card", ["pic", "router_registered_at", "state"])
    op.drop_index("ix_delivery_pic", "delivery")
    op.create_index(
        "ix_delivery_standing",
        "delivery",
        ["pic", "state", "delivered_at", "failing_since", "created_at"],
    )

    op.create_table(
        "worker_round",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )

    op.drop_index("ix_delivery_due", "delivery")
    op.create_index("ix_delivery_due", "delivery", ["pic", "state", "next_attempt_at", "id"])

    circuit = op.create_table(
        "router_circuit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_students", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("probe_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(circuit, [{"id": 1, "failures": 0, "probe_at": 0}])

    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("cards_removed_at", sa.BigInteger(), nullable=True),
        sa.Column("picture_removed_at", sa.BigInteger(), nullable=True),
        sa.Column("person_removed_at", sa.BigInteger(), nullable=True),
        sa.Column("person_outcome", sa.String(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pic"], ["institution.pic"]),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("student_id"),
    )
    op.create_index("ix_erasure_pic", "erasure", ["pic"])

    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("repairs", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("pace", sa.Float(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pic"], ["institution.pic"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reconciliation_pic", "reconciliation", ["pic"])

    op.create_table(
        "router_difference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reconciliation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("here", sa.String(), nullable=True),
        sa.Column("there", sa.String(), nullable=True),
        sa.Column("repair", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["reconciliation_id"], ["reconciliation.id"]),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reconciliation_id", "kind", "subject"),
    )
    op.create_index(
        "ix_router_difference_reconciliation_id", "router_difference", ["reconciliation_id"]
    )
    op.create_index("ix_router_difference_student_id", "router_difference", ["student_id"])

    op.create_table(
        "reconciliation_seen",
        sa.Column("reconciliation_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["reconciliation_id"], ["reconciliation.id"]),
        sa.PrimaryKeyConstraint("reconciliation_id", "subject"),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index("ix_delivery_due", "delivery", ["state", "next_attempt_at", "id"])
    op.drop_index("ix_delivery_standing", "delivery")
    op.create_index("ix_delivery_pic", "delivery", ["pic"])
    op.drop_index("ix_card_router", "card")
    op.create_index("ix_card_pic", "card", ["pic"])
    for table in (*_NEW_TABLES, "reconciliation"):
        op.drop_table(table)
    for table, columns in _NEW_COLUMNS.items():
        for name, _kind, _options in columns:
            op.drop_column(table, name)
