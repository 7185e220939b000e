"""Dossiers with what is in them, the four scores of each leaf, the meeting, frozen lists and results."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STANDINGS = ("not_met", "met", "counted", "left_out")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _instant(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=optional)


def _number(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=optional)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _points(name: str) -> sa.Column[Any]:
    """Points as whole ten-thousandths."""
    return sa.Column(name, sa.BigInteger(), nullable=True)


def upgrade() -> None:
    _dossiers()
    _leaves()
    _reviews()
    _meetings()
    _results()


def _dossiers() -> None:
    op.create_table(
        "kept_files",
        _text("sha256"),
        _number("size"),
        sa.Column("media_type", _choice("media_type", "pdf", "jpeg", "png", "docx", "xlsx"), nullable=False),
        _instant("kept_at"),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_kept_files")),
    )
    op.create_table(
        "dossier_entries",
        _number("id"),
        _number("campaign_id"),
        _number("unit_id"),
        _number("round"),
        sa.Column(
            "part",
            _choice(
                "dossier_part",
                "council_decision",
                "scores",
                "evidence",
                "report",
                "submission",
                "minutes",
                "lists",
                "registration",
                "opinions",
                "other",
            ),
            nullable=False,
        ),
        _number("group_id", optional=True),
        _text("leaf", optional=True),
        _text("name", optional=True),
        _text("sha256", optional=True),
        _text("note", optional=True),
        _instant("put_at"),
        _instant("recorded_at"),
        _text("put_by", optional=True),
        _number("replaced_by_id", optional=True),
        _instant("removed_at", optional=True),
        sa.CheckConstraint(
            "(sha256 IS NULL) = (name IS NULL)", name=op.f("ck_dossier_entries_file_with_a_name")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_dossier_entries_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_dossier_entries_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["dossier_entries.id"], name=op.f("fk_dossier_entries_replaced_by_id")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["kept_files.sha256"], name=op.f("fk_dossier_entries_sha256")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_dossier_entries_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_entries")),
    )
    op.create_index(
        op.f("ix_dossier_entries_campaign_id_unit_id"),
        "dossier_entries",
        ["campaign_id", "unit_id"],
        unique=False,
    )


def _leaves() -> None:
    op.create_table(
        "campaign_leaves",
        _key("campaign_id"),
        _text("leaf"),
        _number("position"),
        _text("criterion"),
        _points("max_points"),
        _points("lowest"),
        _points("highest"),
        _number("unit_id", optional=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_leaves_campaign_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_campaign_leaves_unit_id")),
        sa.PrimaryKeyConstraint("campaign_id", "leaf", name=op.f("pk_campaign_leaves")),
        sa.UniqueConstraint("campaign_id", "position", name=op.f("uq_campaign_leaves_campaign_id_position")),
    )
    op.create_index(op.f("ix_campaign_leaves_unit_id"), "campaign_leaves", ["unit_id"], unique=False)
    op.create_table(
        "group_cases",
        _key("campaign_id"),
        _key("group_id"),
        sa.Column("is_proposed", sa.Boolean(), nullable=False),
        _text("reason"),
        _text("area_class", optional=True),
        _number("invited", optional=True),
        _number("attended", optional=True),
        _number("in_favour", optional=True),
        _points("votes_percent"),
        _instant("recorded_at"),
        _text("recorded_by", optional=True),
        sa.CheckConstraint(
            "is_proposed OR reason <> ''", name=op.f("ck_group_cases_reason_when_not_proposed")
        ),
        sa.CheckConstraint(
            "in_favour <= attended AND attended <= invited", name=op.f("ck_group_cases_votes_add_up")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_group_cases_campaign_id")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_group_cases_group_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "group_id", name=op.f("pk_group_cases")),
    )
    op.create_table(
        "scores",
        _key("campaign_id"),
        _key("group_id"),
        _text("leaf"),
        _points("self_points"),
        sa.Column("self_is", _choice("self_is", *STANDINGS), nullable=True),
        _points("agency_points"),
        sa.Column("agency_is", _choice("agency_is", *STANDINGS), nullable=True),
        _points("consolidated_points"),
        sa.Column("consolidated_is", _choice("consolidated_is", *STANDINGS), nullable=True),
        _points("final_points"),
        sa.Column("final_is", _choice("final_is", *STANDINGS), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_scores_campaign_id")),
        sa.ForeignKeyConstraint(["group_id"], ["residential_groups.id"], name=op.f("fk_scores_group_id")),
        sa.PrimaryKeyConstraint("campaign_id", "group_id", "leaf", name=op.f("pk_scores")),
    )
    op.create_table(
        "marks",
        _number("id"),
        _number("campaign_id"),
        _number("group_id"),
        _text("leaf"),
        sa.Column("kind", _choice("score_kind", "self", "agency", "consolidated", "final"), nullable=False),
        _number("round"),
        sa.Column("found", sa.JSON(), nullable=False),
        _points("points"),
        sa.Column("standing", _choice("standing", *STANDINGS), nullable=False),
        _text("reason", optional=True),
        _text("evidence", optional=True),
        _instant("given_at"),
        _instant("recorded_at"),
        _text("given_by", optional=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_marks_campaign_id")),
        sa.ForeignKeyConstraint(["group_id"], ["residential_groups.id"], name=op.f("fk_marks_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marks")),
    )
    op.create_index(
        op.f("ix_marks_campaign_id_group_id_leaf_kind"),
        "marks",
        ["campaign_id", "group_id", "leaf", "kind"],
        unique=False,
    )


def _reviews() -> None:
    op.create_table(
        "vetoes",
        _number("id"),
        _number("campaign_id"),
        _number("group_id"),
        _text("code"),
        _text("reason"),
        _instant("found_at"),
        _instant("recorded_at"),
        _text("found_by", optional=True),
        _instant("lifted_at", optional=True),
        _text("lifted_because", optional=True),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_because IS NULL)", name=op.f("ck_vetoes_lifted_with_a_reason")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_vetoes_campaign_id")),
        sa.ForeignKeyConstraint(["group_id"], ["residential_groups.id"], name=op.f("fk_vetoes_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vetoes")),
    )
    op.create_index(
        op.f("ix_vetoes_campaign_id_group_id"), "vetoes", ["campaign_id", "group_id"], unique=False
    )
    op.create_table(
        "recusals",
        _number("id"),
        _number("campaign_id"),
        _text("person"),
        _number("unit_id"),
        _number("group_id", optional=True),
        _text("reason"),
        _instant("recorded_at"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_recusals_campaign_id")),
        sa.ForeignKeyConstraint(["group_id"], ["residential_groups.id"], name=op.f("fk_recusals_group_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_recusals_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recusals")),
    )
    op.create_index(
        op.f("ix_recusals_campaign_id_person"), "recusals", ["campaign_id", "person"], unique=False
    )
    op.create_table(
        "completions",
        _number("id"),
        _number("campaign_id"),
        _number("agency_id"),
        _number("unit_id"),
        _number("group_id", optional=True),
        _text("leaf", optional=True),
        _text("what"),
        _instant("proposed_at"),
        _instant("recorded_at"),
        _text("proposed_by", optional=True),
        _number("return_id", optional=True),
        _text("dropped_because", optional=True),
        sa.ForeignKeyConstraint(["agency_id"], ["units.id"], name=op.f("fk_completions_agency_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_completions_campaign_id")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_completions_group_id")
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_completions_return_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_completions_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completions")),
    )
    op.create_index(
        op.f("ix_completions_campaign_id_unit_id"), "completions", ["campaign_id", "unit_id"], unique=False
    )
    op.create_table(
        "explanations",
        _number("id"),
        _number("campaign_id"),
        _number("group_id"),
        _text("leaf"),
        _text("words"),
        _instant("explained_at"),
        _instant("recorded_at"),
        _text("explained_by", optional=True),
        _instant("answered_at", optional=True),
        _text("answered_by", optional=True),
        _text("answer", optional=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answer IS NULL)", name=op.f("ck_explanations_answered_with_words")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_explanations_campaign_id")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_explanations_group_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanations")),
    )
    op.create_index(
        op.f("ix_explanations_campaign_id_group_id_leaf"),
        "explanations",
        ["campaign_id", "group_id", "leaf"],
        unique=False,
    )


def _meetings() -> None:
    op.create_table(
        "meetings",
        _number("id"),
        _number("campaign_id"),
        _number("number"),
        _instant("holds_at"),
        _text("place", optional=True),
        _text("chair", optional=True),
        _text("secretary", optional=True),
        _instant("invited_at"),
        _instant("papers_sent_at", optional=True),
        _instant("held_at", optional=True),
        _text("called_off_because", optional=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_meetings_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
    )
    op.create_index(op.f("ix_meetings_campaign_id"), "meetings", ["campaign_id"], unique=False)
    op.create_table(
        "meeting_members",
        _key("meeting_id"),
        _text("person"),
        _number("position"),
        _number("unit_id", optional=True),
        sa.Column("attendance", _choice("attendance", "present", "absent", "in_writing"), nullable=True),
        _text("opinion", optional=True),
        _instant("opinion_at", optional=True),
        sa.CheckConstraint(
            "(attendance = 'in_writing') = (opinion IS NOT NULL)",
            name=op.f("ck_meeting_members_opinion_in_writing"),
        ),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_members_meeting_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_meeting_members_unit_id")),
        sa.PrimaryKeyConstraint("meeting_id", "person", name=op.f("pk_meeting_members")),
    )
    op.create_table(
        "meeting_votes",
        _number("id"),
        _number("meeting_id"),
        _text("subject"),
        _number("group_id", optional=True),
        _number("in_favour"),
        _number("against"),
        _number("abstained"),
        sa.Column("ballot", _choice("ballot", "show_of_hands", "secret"), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_meeting_votes_group_id")
        ),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_meeting_votes_meeting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_votes")),
        sa.UniqueConstraint("meeting_id", "subject", name=op.f("uq_meeting_votes_meeting_id_subject")),
    )


def _results() -> None:
    op.create_table(
        "list_versions",
        _number("id"),
        _number("campaign_id"),
        _number("version"),
        _instant("frozen_at"),
        _instant("recorded_at"),
        _text("frozen_by", optional=True),
        _text("reason"),
        _number("meeting_id", optional=True),
        _number("groups"),
        _number("recognised"),
        _text("hash"),
        sa.CheckConstraint(
            "version = 1 OR reason <> ''", name=op.f("ck_list_versions_reason_for_a_later_one")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_list_versions_campaign_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_list_versions_meeting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_versions")),
        sa.UniqueConstraint("campaign_id", "version", name=op.f("uq_list_versions_campaign_id_version")),
    )
    op.create_table(
        "results",
        _key("version_id"),
        _key("group_id"),
        sa.Column("is_proposed", sa.Boolean(), nullable=False),
        sa.Column("is_recognised", sa.Boolean(), nullable=False),
        sa.Column("verdict", _choice("verdict", "not_met", "incomplete", "met"), nullable=False),
        _text("level", optional=True),
        _points("self_total"),
        _points("agency_total"),
        _points("consolidated_total"),
        _points("final_total"),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["residential_groups.id"], name=op.f("fk_results_group_id")),
        sa.ForeignKeyConstraint(["version_id"], ["list_versions.id"], name=op.f("fk_results_version_id")),
        sa.PrimaryKeyConstraint("version_id", "group_id", name=op.f("pk_results")),
    )
    op.create_index(op.f("ix_results_group_id"), "results", ["group_id"], unique=False)
