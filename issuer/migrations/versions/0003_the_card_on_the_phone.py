"""What the card on a student's phone needs: look, photo, devices, letters, notices, passes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW_COLUMNS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "institution": [
        ("devices_at_once", sa.Integer(), {"nullable": False, "server_default": "1"}),
        ("background_color", sa.String(), {"nullable": True}),
        ("text_color", sa.String(), {"nullable": True}),
        ("takes_student_photos", sa.Boolean(), {"nullable": False, "server_default": sa.false()}),
    ],
    "device": [
        ("name", sa.String(60), {"nullable": True}),
        ("renewed_at", sa.BigInteger(), {"nullable": True}),
        ("end_reason", sa.String(), {"nullable": True}),
    ],
    "status_entry": [
        ("changed_at", sa.BigInteger(), {"nullable": False, "server_default": "0"}),
    ],
}
_NEW_TABLES = ("logo", "push_subscription", "photo", "letter", "pass", "pass_registration")


def upgrade() -> None:
    for table, columns in _NEW_COLUMNS.items():
        for name, kind, options in columns:
            op.add_column(table, sa.Column(name, kind, **options))

    op.create_table(
        "logo",
        sa.Column("pic", sa.String(9), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pic"], ["institution.pic"]),
        sa.PrimaryKeyConstraint("pic"),
    )
    op.create_table(
        "push_subscription",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("sealed_subscription", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_index("ix_push_subscription_due_at", "push_subscription", ["due_at"])
    _create_what_belongs_to_students()
    _create_passes()


def _create_what_belongs_to_students() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["pic"], ["institution.pic"]),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_photo_student_id", "photo", ["student_id"])
    op.create_index("ix_photo_pic_state", "photo", ["pic", "state", "created_at"])
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pic"], ["institution.pic"]),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
    )
    op.create_index("ix_letter_student_id", "letter", ["student_id"])


def _create_passes() -> None:
    op.create_table(
        "pass",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("escn", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("holder_jwk", sa.JSON(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("renew_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["escn"], ["card.escn"]),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("serial"),
    )
    for column in ("escn", "device_id", "renew_at"):
        op.create_index(f"ix_pass_{column}", "pass", [column])
    op.create_table(
        "pass_registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_library_id", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("sealed_push_token", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["pass.serial"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_library_id", "serial"),
    )
    for column in ("device_library_id", "serial", "due_at"):
        op.create_index(f"ix_pass_registration_{column}", "pass_registration", [column])


def downgrade() -> None:
    for table in reversed(_NEW_TABLES):
        op.drop_table(table)
    for table, columns in _NEW_COLUMNS.items():
        for name, _kind, _options in columns:
            op.drop_column(table, name)
