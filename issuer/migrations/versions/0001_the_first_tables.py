"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("pic", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_pic", "audit_entry", ["pic"])

    op.create_table(
        "nonce",
        sa.Column("nonce_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("pic", sa.String(length=9), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nonce_sha256"),
    )
    op.create_index("ix_nonce_expires_at", "nonce", ["expires_at"])

    op.create_table(
        "processor",
        sa.Column("vat", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("vat"),
    )
    op.create_table(
        "publication",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("max_age", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_index("ix_publication_sequence", "publication", ["sequence"])

    op.create_table(
        "trust_list_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "institution",
        sa.Column("pic", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("schac_home_organization", sa.String(), nullable=False),
        sa.Column("esi_scopes", sa.JSON(), nullable=False),
        sa.Column("escn_prefixes", sa.JSON(), nullable=False),
        sa.Column("processor_vat", sa.String(), nullable=True),
        sa.Column("sealed_router_key", sa.LargeBinary(), nullable=True),
        sa.Column("router_key_refused_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["processor_vat"],
            ["processor.vat"],
        ),
        sa.PrimaryKeyConstraint("pic"),
    )
    op.create_table(
        "escn_clock",
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(length=3), nullable=False),
        sa.Column("clock_sequence", sa.Integer(), nullable=False),
        sa.Column("last_tick", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.PrimaryKeyConstraint("pic", "prefix"),
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("pic", sa.String(), nullable=True),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("compromised_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_index("ix_signing_key_pic", "signing_key", ["pic"])

    op.create_table(
        "staff_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_sha256"),
    )
    op.create_index("ix_staff_key_pic", "staff_key", ["pic"])

    op.create_table(
        "status_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("pic", "number"),
    )
    op.create_table(
        "student",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("esi", sa.String(), nullable=False),
        sa.Column("esi_normal", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("given_name", sa.String(), nullable=True),
        sa.Column("family_name", sa.String(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("eduperson_principal_name", sa.String(), nullable=True),
        sa.Column("academic_level", sa.String(), nullable=True),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("router_registered_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("pic", "esi_normal"),
    )
    op.create_table(
        "card",
        sa.Column("escn", sa.String(length=36), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("router_registered_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["student.id"],
        ),
        sa.PrimaryKeyConstraint("escn"),
    )
    op.create_index("ix_card_due", "card", ["state", "expires_on"])
    op.create_index("ix_card_pic", "card", ["pic"])
    op.create_index("ix_card_student_id", "card", ["student_id"])

    op.create_table(
        "status_entry",
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["status_list.id"],
        ),
        sa.PrimaryKeyConstraint("list_id", "idx"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pic", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("escn", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escn"],
            ["card.escn"],
        ),
        sa.ForeignKeyConstraint(
            ["pic"],
            ["institution.pic"],
        ),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["student.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "next_attempt_at", "id"])
    op.create_index("ix_delivery_pic", "delivery", ["pic"])
    op.create_index("ix_delivery_student_id", "delivery", ["student_id"])

    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("escn", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("renew_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escn"],
            ["card.escn"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index("ix_device_escn", "device", ["escn"])

    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("escn", sa.String(), nullable=False),
        sa.Column("reference_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_offer", sa.LargeBinary(), nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("tx_code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escn"],
            ["card.escn"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_sha256"),
        sa.UniqueConstraint("reference_sha256"),
    )
    op.create_index("ix_offer_escn", "offer", ["escn"])
    op.create_index("ix_offer_expires_at", "offer", ["expires_at"])

    op.create_table(
        "access_token",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("escn", sa.String(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("credentials_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["escn"],
            ["card.escn"],
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"],
            ["offer.id"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_index("ix_access_token_escn", "access_token", ["escn"])
    op.create_index("ix_access_token_expires_at", "access_token", ["expires_at"])

    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("escn", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("configuration", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=True),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("holder_thumbprint", sa.String(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["escn"],
            ["card.escn"],
        ),
        sa.ForeignKeyConstraint(
            ["kid"],
            ["signing_key.kid"],
        ),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["status_list.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("list_id", "idx"),
    )
    op.create_index("ix_credential_device_key", "credential", ["device_id", "holder_thumbprint"])
    op.create_index("ix_credential_escn", "credential", ["escn"])
    op.create_index("ix_credential_expires_at", "credential", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_credential_expires_at", "credential")
    op.drop_index("ix_credential_escn", "credential")
    op.drop_index("ix_credential_device_key", "credential")

    op.drop_table("credential")
    op.drop_index("ix_access_token_expires_at", "access_token")
    op.drop_index("ix_access_token_escn", "access_token")

    op.drop_table("access_token")
    op.drop_index("ix_offer_expires_at", "offer")
    op.drop_index("ix_offer_escn", "offer")

    op.drop_table("offer")
    op.drop_index("ix_device_escn", "device")

    op.drop_table("device")
    op.drop_index("ix_delivery_student_id", "delivery")
    op.drop_index("ix_delivery_pic", "delivery")
    op.drop_index("ix_delivery_due", "delivery")

    op.drop_table("delivery")
    op.drop_table("status_entry")
    op.drop_index("ix_card_student_id", "card")
    op.drop_index("ix_card_pic", "card")
    op.drop_index("ix_card_due", "card")

    op.drop_table("card")
    op.drop_table("student")
    op.drop_table("status_list")
    op.drop_index("ix_staff_key_pic", "staff_key")

    op.drop_table("staff_key")
    op.drop_index("ix_signing_key_pic", "signing_key")

    op.drop_table("signing_key")
    op.drop_table("escn_clock")
    op.drop_table("institution")
    op.drop_table("trust_list_state")
    op.drop_index("ix_publication_sequence", "publication")

    op.drop_table("publication")
    op.drop_table("processor")
    op.drop_index("ix_nonce_expires_at", "nonce")

    op.drop_table("nonce")
    op.drop_index("ix_audit_entry_pic", "audit_entry")
    op.drop_index("ix_audit_entry_at", "audit_entry")

    op.drop_table("audit_entry")
