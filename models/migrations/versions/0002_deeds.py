"""Everything that happens to a campaign: returns, extensions, amendments, people over time, the trail."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ITEM_KINDS = (
    "plan",
    "team_decision",
    "nomination",
    "dossier",
    "review",
    "result",
    "minutes",
    "submission",
    "decision",
    "complaint",
)
REFUSALS = {"UPDATE": "journal_no_update", "DELETE": "journal_no_delete"}
WORDS = "the journal is append-only"


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    _units_by_directory()
    _groups_over_time()
    _people_over_time()
    _papers_and_versions()
    _items()
    _requests()
    _notices()
    _kept_files()
    _trail()


def _units_by_directory() -> None:
    with op.batch_alter_table("units") as batch:
        batch.add_column(sa.Column("directory", sa.String(), nullable=False, server_default=""))
        batch.drop_constraint(op.f("uq_units_code_valid_from"), type_="unique")
    # A unit stands in the list of the organiser of the campaign it took part in.
    op.execute(
        "UPDATE units SET directory = COALESCE((SELECT MIN(organiser.code) FROM campaign_units AS part"
        " JOIN campaign_units AS led ON led.campaign_id = part.campaign_id AND led.part = 'organiser'"
        " JOIN units AS organiser ON organiser.id = led.unit_id WHERE part.unit_id = units.id), '')"
    )
    with op.batch_alter_table("units") as batch:
        batch.alter_column("directory", server_default=None)
        batch.create_unique_constraint(
            op.f("uq_units_directory_code_valid_from"), ["directory", "code", "valid_from"]
        )


def _groups_over_time() -> None:
    with op.batch_alter_table("residential_groups") as batch:
        batch.add_column(sa.Column("valid_from", sa.Date(), nullable=True))
        batch.add_column(sa.Column("closed_on", sa.Date(), nullable=True))
        batch.drop_constraint(op.f("uq_residential_groups_unit_id_name"), type_="unique")
    op.execute(
        "UPDATE residential_groups SET valid_from ="
        " (SELECT units.valid_from FROM units WHERE units.id = residential_groups.unit_id)"
    )
    with op.batch_alter_table("residential_groups") as batch:
        batch.alter_column("valid_from", nullable=False)
        batch.create_unique_constraint(
            op.f("uq_residential_groups_unit_id_name_valid_from"), ["unit_id", "name", "valid_from"]
        )
    op.create_table(
        "campaign_groups",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_groups_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["residential_groups.id"], name=op.f("fk_campaign_groups_group_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "group_id", name=op.f("pk_campaign_groups")),
    )
    op.execute(
        "INSERT INTO campaign_groups (campaign_id, group_id) SELECT DISTINCT campaign_units.campaign_id,"
        " residential_groups.id FROM campaign_units"
        " JOIN residential_groups ON residential_groups.unit_id = campaign_units.unit_id"
    )


def _people_over_time() -> None:
    op.add_column("contacts", sa.Column("absent_from", sa.Date(), nullable=True))
    op.add_column("contacts", sa.Column("absent_until", sa.Date(), nullable=True))
    op.add_column("contacts", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stage_entries", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE stage_entries SET asked_at = entered_at")


def _papers_and_versions() -> None:
    with op.batch_alter_table("papers") as batch:
        batch.add_column(
            sa.Column(
                "change", _choice("change", "supplements", "corrects", "replaces", "revokes"), nullable=True
            )
        )
        batch.add_column(sa.Column("changes_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(op.f("fk_papers_changes_id"), "papers", ["changes_id"], ["id"])
        batch.create_check_constraint(
            op.f("ck_papers_changes_one"), "(change IS NULL) = (changes_id IS NULL)"
        )
    with op.batch_alter_table("amendments") as batch:
        batch.add_column(sa.Column("opens_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("dues", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("amendments") as batch:
        batch.alter_column("dues", server_default=None)
    causes = _choice("version_cause", "entered", "amended", "extended", "returned", "reopened", "complaint")
    with op.batch_alter_table("deadlines") as batch:
        batch.add_column(sa.Column("cause", causes, nullable=False, server_default="entered"))
        batch.add_column(sa.Column("replaces_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("paper_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(op.f("fk_deadlines_replaces_id"), "deadlines", ["replaces_id"], ["id"])
        batch.create_foreign_key(op.f("fk_deadlines_paper_id"), "papers", ["paper_id"], ["id"])
    with op.batch_alter_table("deadlines") as batch:
        batch.alter_column("cause", server_default=None)
    with op.batch_alter_table("deadline_steps") as batch:
        batch.add_column(sa.Column("repeats", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("deadline_steps") as batch:
        batch.alter_column("repeats", server_default=None)
    # A step that was queued for anybody was queued for all who were open then.
    op.execute(
        "UPDATE deadline_steps SET fired_at = fires_at WHERE EXISTS (SELECT 1 FROM notices"
        " WHERE notices.deadline_id = deadline_steps.deadline_id AND notices.step = deadline_steps.step)"
    )


def _items() -> None:
    with op.batch_alter_table("work_items") as batch:
        batch.add_column(sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("subject", sa.String(), nullable=True))
        batch.drop_constraint(op.f("ck_work_items_item_kind"), type_="check")
        kinds = ", ".join(f"'{kind}'" for kind in ITEM_KINDS)
        batch.create_check_constraint(op.f("ck_work_items_item_kind"), f"kind IN ({kinds})")

    op.create_table(
        "item_terms",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_items.id"], name=op.f("fk_item_terms_item_id")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadlines.id"], name=op.f("fk_item_terms_deadline_id")),
        sa.PrimaryKeyConstraint("item_id", "deadline_id", name=op.f("pk_item_terms")),
    )
    op.execute(
        "INSERT INTO item_terms (item_id, deadline_id, since)"
        " SELECT id, deadline_id, opened_at FROM work_items WHERE deadline_id IS NOT NULL"
    )


def _requests() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_by", sa.String(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_items.id"], name=op.f("fk_returns_item_id")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadlines.id"], name=op.f("fk_returns_deadline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("item_id", "round", name=op.f("uq_returns_item_id_round")),
    )
    op.create_table(
        "extension_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("state", _choice("extension_state", "asked", "granted", "refused"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("wanted", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'asked') = (settled_at IS NULL)",
            name=op.f("ck_extension_requests_settled_when_answered"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["work_items.id"], name=op.f("fk_extension_requests_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_requests")),
    )
    op.create_index("ix_extension_requests_item_id_state", "extension_requests", ["item_id", "state"])


def _notices() -> None:
    with op.batch_alter_table("notices") as batch:
        batch.add_column(sa.Column("note", sa.String(), nullable=True))
        batch.add_column(sa.Column("is_held", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("notices") as batch:
        batch.alter_column("is_held", server_default=None)
        batch.create_index("ix_notices_of_a_step", ["item_id", "deadline_id", "step"])


def _kept_files() -> None:
    """Give each kept file its hash, by which a process knows whether it has read it."""
    op.create_index("ix_letters_contact_id_kind", "letters", ["contact_id", "kind"])
    op.add_column("campaigns", sa.Column("files_hash", sa.String(), nullable=True))
    connection = op.get_bind()
    campaigns = sa.table(
        "campaigns",
        sa.column("id", sa.Integer),
        sa.column("files", sa.JSON),
        sa.column("files_hash", sa.String),
    )
    for campaign_id, files in connection.execute(sa.select(campaigns.c.id, campaigns.c.files)).all():
        text = json.dumps(files, sort_keys=True)
        connection.execute(
            sa.update(campaigns)
            .where(campaigns.c.id == campaign_id)
            .values(files_hash=sha256(text.encode()).hexdigest())
        )
    with op.batch_alter_table("campaigns") as batch:
        batch.alter_column("files_hash", nullable=False)


def _trail() -> None:
    """Number the lines there are, bind each to the one before, and let nothing be changed from here on."""
    op.create_table(
        "journal_heads",
        sa.Column("campaign_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_journal_heads_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_journal_heads")),
    )
    with op.batch_alter_table("journal") as batch:
        batch.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("hash", sa.String(), nullable=True))
        batch.drop_index("ix_journal_campaign_id")
    _bind()
    with op.batch_alter_table("journal") as batch:
        batch.alter_column("number", nullable=False)
        batch.alter_column("hash", nullable=False)
        batch.create_unique_constraint(op.f("uq_journal_campaign_id_number"), ["campaign_id", "number"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$"
        )
        for deed, name in REFUSALS.items():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {deed} ON journal"
                " FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()"
            )
        op.execute(
            "CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal"
            " FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"
        )
        return
    for deed, name in REFUSALS.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {deed} ON journal BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        )
    # REPLACE deletes without asking the trigger above.
    op.execute(
        "CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal WHEN EXISTS (SELECT 1 FROM journal"
        " WHERE id = NEW.id OR (campaign_id = NEW.campaign_id AND number = NEW.number))"
        f" BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    )


def _bind() -> None:
    connection = op.get_bind()
    at = sa.DateTime(timezone=True)
    journal = sa.table(
        "journal",
        sa.column("id", sa.Integer),
        sa.column("campaign_id", sa.Integer),
        sa.column("happened_at", at),
        sa.column("recorded_at", at),
        sa.column("done_by", sa.String),
        sa.column("what", sa.String),
        sa.column("unit", sa.String),
        sa.column("stage", sa.String),
        sa.column("detail", sa.JSON),
        sa.column("number", sa.Integer),
        sa.column("hash", sa.String),
    )
    heads = sa.table("journal_heads", sa.column("campaign_id"), sa.column("length"), sa.column("hash"))
    campaigns = connection.execute(sa.text("SELECT id, code FROM campaigns ORDER BY id")).all()
    for campaign_id, code in campaigns:
        number, before = 0, "0" * 64
        rows = connection.execute(
            sa.select(journal).where(journal.c.campaign_id == campaign_id).order_by(journal.c.id)
        ).all()
        for row in rows:
            number += 1
            before = _hash(before, code, number, row)
            connection.execute(
                sa.update(journal).where(journal.c.id == row.id).values(number=number, hash=before)
            )
        connection.execute(sa.insert(heads).values(campaign_id=campaign_id, length=number, hash=before))


def _hash(before: str, campaign: str, number: int, row: sa.Row) -> str:  # type: ignore[type-arg]
    """Return what `rules.trail.entry_hash` returned when this migration was written."""
    said = {
        "before": before,
        "campaign": campaign,
        "number": number,
        "happened_at": _instant(row.happened_at),
        "recorded_at": _instant(row.recorded_at),
        "by": row.done_by,
        "what": row.what,
        "unit": row.unit,
        "stage": row.stage,
        "detail": row.detail,
    }
    return sha256(
        json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


def _instant(at: datetime) -> str:
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return aware.isoformat(timespec="microseconds")
