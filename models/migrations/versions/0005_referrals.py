"""What a campaign takes over from another one: how many of the units below were recognised there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "children_recognised",
        sa.Column("campaign_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("recognised", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "group_id", name=op.f("pk_children_recognised")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_children_recognised_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["residential_groups.id"],
            name=op.f("fk_children_recognised_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["list_versions.id"], name=op.f("fk_children_recognised_version_id")
        ),
        sa.CheckConstraint(
            "recognised <= children AND children > 0", name=op.f("ck_children_recognised_some_of_them")
        ),
    )
