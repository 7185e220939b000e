"""The whole life of a letter: tries, channels held, the next channel; and what is kept of Zalo."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

CHANNELS = ("email", "zalo")
WAYS = ("email", "zalogmf", "zalobot", "zalooa", "zalozbs_uid", "zalozbs_phone")
OUTCOMES = ("accepted", "transient", "permanent", "configuration", "unknown", "not_tried")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _instant(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=optional)


def upgrade() -> None:
    _letters()
    _tries()
    _zalo()


def _letters() -> None:
    with op.batch_alter_table("notices") as batch:
        batch.add_column(sa.Column("only_over", _choice("only_over", *CHANNELS), nullable=True))
    with op.batch_alter_table("letters") as batch:
        batch.add_column(sa.Column("way", _choice("way", *WAYS), nullable=True))
        batch.add_column(sa.Column("next_channels", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("only_over", _choice("only_over", *CHANNELS), nullable=True))
        batch.add_column(sa.Column("follows", _choice("follows", "next_channel", "again"), nullable=True))
        batch.add_column(sa.Column("follows_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(_instant("delivered_at", optional=True))
        batch.add_column(_instant("seen_at", optional=True))
        batch.create_foreign_key(op.f("fk_letters_follows_id"), "letters", ["follows_id"], ["id"])
        batch.create_index(op.f("ix_letters_follows_id"), ["follows_id"])
        batch.create_index(op.f("ix_letters_provider_id"), ["provider_id"])
        batch.create_index(op.f("ix_letters_message_id"), ["message_id"])
    # What had left before went by mail, the only way there was.
    op.execute("UPDATE letters SET way = 'email' WHERE outcome_code IS NOT NULL")
    with op.batch_alter_table("letters") as batch:
        batch.alter_column("next_channels", server_default=None)
        batch.alter_column("repeats", server_default=None)


def _tries() -> None:
    op.create_table(
        "tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("way", _choice("way", *WAYS), nullable=True),
        _instant("tried_at"),
        sa.Column("outcome", _choice("outcome", *OUTCOMES), nullable=False),
        _text("code"),
        _text("provider_id"),
        _text("words"),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_tries_letter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tries")),
    )
    op.create_index(op.f("ix_tries_letter_id"), "tries", ["letter_id"])
    op.create_table(
        "channel_holds",
        sa.Column("channel", _choice("channel", *CHANNELS), nullable=False),
        _instant("since"),
        _instant("until"),
        _text("code"),
        _text("words"),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_holds")),
    )


def _zalo() -> None:
    op.create_table(
        "zalo_tokens",
        _text("oa_id"),
        _text("app_id"),
        sa.Column("state", _choice("token_state", "working", "needs_consent"), nullable=False),
        _text("access_token", optional=True),
        _text("refresh_token", optional=True),
        _instant("expires_at", optional=True),
        _instant("refresh_issued_at", optional=True),
        _instant("rotated_at", optional=True),
        _instant("refresh_started_at", optional=True),
        _text("spending", optional=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        _text("reason", optional=True),
        sa.PrimaryKeyConstraint("oa_id", name=op.f("pk_zalo_tokens")),
    )
    turns = ("consented", "refresh_started", "refreshed", "not_refreshed", "needs_consent")
    op.create_table(
        "zalo_token_log",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("oa_id"),
        _instant("at"),
        sa.Column("what", _choice("token_turn", *turns), nullable=False),
        _text("words"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zalo_token_log")),
    )
    op.create_index(op.f("ix_zalo_token_log_oa_id"), "zalo_token_log", ["oa_id"])
    op.create_table(
        "zalo_users",
        _text("uid"),
        _instant("last_interaction_at", optional=True),
        sa.Column("is_follower", sa.Boolean(), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        _instant("wrong_since", optional=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_zalo_users")),
    )
    op.create_table(
        "zalo_events",
        _text("key"),
        _text("event"),
        _text("message_id", optional=True),
        _text("tracking_id", optional=True),
        _instant("happened_at"),
        _instant("received_at"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_zalo_events")),
    )
    op.create_index(op.f("ix_zalo_events_message_id"), "zalo_events", ["message_id"])
    op.create_index(op.f("ix_zalo_events_tracking_id"), "zalo_events", ["tracking_id"])
    op.create_table(
        "link_codes",
        _text("code_hash"),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        _instant("made_at"),
        _instant("expires_at"),
        _instant("used_at", optional=True),
        _text("made_by", optional=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_link_codes_contact_id")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_link_codes")),
    )
    op.create_index(op.f("ix_link_codes_contact_id"), "link_codes", ["contact_id"])
