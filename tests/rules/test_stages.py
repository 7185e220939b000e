"""What moves a campaign on, and what keeps it."""

import pytest

from rules.stages import (
    DONE_BY_PAPER,
    ITEMS,
    NEXT,
    Blocker,
    PaperRole,
    Stage,
    StageFacts,
    blockers,
    next_stage,
)
from rules.work_items import ItemKind


def facts(stage: Stage, **more) -> StageFacts:
    return StageFacts(stage=stage, **more)


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        pytest.param(facts(Stage.PLANNING), (Blocker.PLAN_NOT_REGISTERED,), id="planning-waits-for-the-plan"),
        pytest.param(facts(Stage.PLANNING, papers=frozenset({PaperRole.PLAN})), (), id="plan-registered"),
        pytest.param(
            facts(Stage.TEAM),
            (Blocker.TEAM_NOT_REGISTERED, Blocker.NOT_YET_OPENING_DAY, Blocker.LAUNCH_NOT_REGISTERED),
            id="team-waits-for-three-things",
        ),
        pytest.param(
            facts(
                Stage.TEAM,
                papers=frozenset({PaperRole.TEAM, PaperRole.LAUNCH}),
                is_opening_day_reached=True,
            ),
            (),
            id="team-launch-and-day",
        ),
        pytest.param(
            facts(Stage.SELF_ASSESSMENT, open_items=7, wait_for_all=False),
            (Blocker.DOSSIERS_MISSING,),
            id="before-the-deadline-dossiers-are-awaited",
        ),
        pytest.param(
            facts(Stage.SELF_ASSESSMENT, open_items=7, wait_for_all=False, is_past_late_from=True),
            (),
            id="after-it-nobody-is-awaited",
        ),
        pytest.param(
            facts(Stage.SELF_ASSESSMENT, open_items=1, wait_for_all=True, is_past_late_from=True),
            (Blocker.DOSSIERS_MISSING,),
            id="wait-for-all-waits",
        ),
        pytest.param(
            facts(
                Stage.SELF_ASSESSMENT,
                open_items=1,
                wait_for_all=True,
                is_past_late_from=True,
                has_gone_on=True,
            ),
            (),
            id="wait-for-all-until-the-office-goes-on",
        ),
        pytest.param(facts(Stage.SELF_ASSESSMENT), (), id="all-in-before-the-deadline"),
        pytest.param(facts(Stage.AGENCY_REVIEW, open_items=1), (Blocker.REVIEWS_OPEN,), id="reviews-open"),
        pytest.param(
            facts(Stage.AGENCY_REVIEW, open_items=1, has_gone_on=True),
            (Blocker.REVIEWS_OPEN,),
            id="no-going-on-before-the-deadline",
        ),
        pytest.param(
            facts(Stage.AGENCY_REVIEW, open_items=1, is_past_late_from=True),
            (Blocker.REVIEWS_OPEN,),
            id="no-going-on-by-itself",
        ),
        pytest.param(
            facts(Stage.AGENCY_REVIEW, open_items=1, is_past_late_from=True, has_gone_on=True),
            (),
            id="the-office-goes-on",
        ),
        pytest.param(
            facts(Stage.CONSOLIDATION),
            (Blocker.LIST_NOT_FROZEN, Blocker.SUBMISSION_NOT_REGISTERED),
            id="consolidation",
        ),
        pytest.param(
            facts(Stage.CONSOLIDATION, is_list_frozen=True, papers=frozenset({PaperRole.SUBMISSION})),
            (),
            id="submitted",
        ),
        pytest.param(facts(Stage.DECISION), (Blocker.DECISION_NOT_REGISTERED,), id="decision"),
        pytest.param(facts(Stage.CLOSED), (), id="closed"),
    ],
)
def test_a_stage_is_left_when_nothing_is_missing(present, missing):
    assert blockers(present) == missing
    expected = None if missing or present.stage is Stage.CLOSED else NEXT[present.stage]
    assert next_stage(present) is expected


def test_the_stages_form_one_line_that_ends_closed():
    seen, stage = [Stage.PLANNING], Stage.PLANNING
    while stage in NEXT:
        stage = NEXT[stage]
        seen.append(stage)
    assert seen == list(Stage)


def test_every_stage_but_the_last_asks_somebody_for_something():
    assert [stage for stage in Stage if not ITEMS[stage]] == [Stage.CLOSED]


def test_a_paper_settles_only_items_that_exist():
    owed = {kind for items in ITEMS.values() for kind, _ in items}
    assert {kind for kinds in DONE_BY_PAPER.values() for kind in kinds} <= owed
    assert owed == set(ItemKind) - {ItemKind.COMPLAINT}  # which comes with whoever complains
