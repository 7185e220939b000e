"""Commands for the official account's tokens: consent, exchange, seed, refresh, how they stand."""

import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from config.messages import say
from config.settings import PREFIX, settings
from flows.command_line import Json, Now, app, now_or, refuse
from flows.list_facts import iso
from flows.refusals import setback, shown
from flows.zalo_tokens import Turn, account, kept_tokens, pair_of, seal
from models import tokens
from models.database import database, transaction
from models.sealing import KeyUnusable, WrongKey, new_key
from models.tables import TokenEntry
from notifications.zalo.oauth import authorization_code, challenge, new_verifier
from notifications.zalo.platform import NeedsConsent, NotRenewed
from rules.sending import TokenState, TokenTurn
from rules.tokens import MOST_TRIES, RENEWABLE_FOR, Setback, TokenFacts, is_usable, renews_at

LINES_SHOWN = 10
SETBACKS = frozenset({TokenTurn.NOT_REFRESHED, TokenTurn.NEEDS_CONSENT})

zalo = typer.Typer(help=say("help.zalo_account"), no_args_is_help=True, rich_markup_mode=None)
app.add_typer(zalo, name="zalo")


@zalo.command(help=say("help.zalo_key"))
def key(
    verifier: Annotated[bool, typer.Option("--verifier", help=say("help.zalo_verifier"))] = False,
) -> None:
    """Print a new key for the settings, or a new code verifier."""
    typer.echo(new_verifier() if verifier else new_key())


@zalo.command(help=say("help.zalo_consent"))
def consent() -> None:
    """Print the link under which an administrator of the account consents."""
    oauth = account()
    callback_url, verifier = _needed("zalo_callback_url"), _needed("zalo_code_verifier")
    link = oauth.consent_link(callback_url, verifier)
    typer.echo(say("zalo_tokens.consent"))
    typer.echo(link)
    typer.echo(say("zalo_tokens.then"))
    typer.echo(say("zalo_tokens.challenge", challenge=challenge(verifier)))


@zalo.command(help=say("help.zalo_exchange"))
def exchange(
    code: Annotated[str, typer.Argument(metavar="CODE_OR_URL", help=say("help.zalo_code"))],
) -> None:
    """Turn the code of a consent into tokens and keep them."""
    kept, oa_id = kept_tokens(now_or()), account().app.oa_id
    found, verifier = authorization_code(code, oa_id=oa_id), _needed("zalo_code_verifier")
    challenge(verifier)  # A verifier that is none would waste the code.
    database().migrate()
    kept.exchange(found, verifier)
    typer.echo(say("zalo_tokens.kept", oa_id=oa_id))


@zalo.command(help=say("help.zalo_seed"))
def seed() -> None:
    """Keep a pair of tokens read from standard input, as the API Explorer of Zalo's console shows it."""
    kept = kept_tokens(now_or())
    if sys.stdin.isatty():
        asked = [
            typer.prompt(say(f"zalo_tokens.{each}"), hide_input=True)
            for each in ("ask_access", "ask_refresh")
        ]
        pair = pair_of("\n".join(asked))
    else:
        pair = pair_of(sys.stdin.buffer.read().decode("utf-8", "replace"))
    database().migrate()
    kept.keep(pair, words="from the console")
    typer.echo(say("zalo_tokens.seeded", oa_id=account().app.oa_id))


@zalo.command(help=say("help.zalo_refresh"))
def refresh() -> None:
    """Renew the tokens now."""
    database().migrate()
    renewal = kept_tokens(now_or()).renew_now()
    match renewal.turn:
        case Turn.NEEDS_CONSENT:
            raise NeedsConsent(renewal.reason)
        case Turn.PUT_OFF:
            raise NotRenewed(renewal.reason)
        case Turn.ELSEWHERE:
            raise NotRenewed(Setback.ELSEWHERE.because())
    typer.echo(say("zalo_tokens.renewed", oa_id=account().app.oa_id))


@zalo.command(help=say("help.zalo_status"))
def status(as_json: Json = False, now: Now = None) -> None:
    """Say how the tokens stand, without a value of them."""
    at, oa_id = now_or(now), account().app.oa_id
    database().migrate()
    with transaction() as session:
        facts = tokens.find_facts(session, oa_id)
        lines = tokens.history(session, oa_id, last=LINES_SHOWN)
    opens = _opens(oa_id) if facts else None
    if as_json:
        typer.echo(
            json.dumps(_as_data(oa_id, facts, lines, opens=opens, at=at), ensure_ascii=False, indent=2)
        )
        return
    if facts is None:
        typer.echo(say("zalo_tokens.none", oa_id=oa_id))
        return
    for line in _as_lines(oa_id, facts, at):
        typer.echo(line)
    if not opens:
        typer.echo(say("zalo_tokens.key_wrong"))
    for entry in lines:
        typer.echo(_line(entry))


def _needed(name: str) -> str:
    """Return a setting of which these commands have need; refused where it is not set."""
    value = getattr(settings(), name)
    if not value:
        refuse(say("refused.zalo_unset", names=PREFIX + name.upper()))
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _opens(oa_id: str) -> bool:
    """Say whether the installation's key opens what is kept."""
    try:
        with transaction() as session:
            tokens.find_pair(session, oa_id, seal())
    except (KeyUnusable, WrongKey):
        return False
    return True


def _as_lines(oa_id: str, facts: TokenFacts, at: datetime) -> list[str]:
    lines = [say("zalo_tokens.state", oa_id=oa_id, state=say(f"zalo_state.{facts.state}"))]
    if facts.reason:
        lines.append(say("zalo_tokens.setback", why=setback(facts.reason)))
    is_working = facts.state is TokenState.WORKING
    if facts.started_at and is_working:
        begun = shown(facts.started_at)
        lines.append(say("zalo_tokens.begun", at=begun, tries=facts.tries, most=MOST_TRIES))
    hours = int((at - facts.issued_at).total_seconds() // 3600)
    lines.append(say("zalo_tokens.age", issued_at=shown(facts.issued_at), hours=hours))
    if facts.expires_at is None:
        lines.append(say("zalo_tokens.unknown_age"))
    elif not is_usable(facts, now=at):
        lines.append(say("zalo_tokens.expired", at=shown(facts.expires_at)))
    else:
        expires_at, begins_at = shown(facts.expires_at), shown(renews_at(facts))
        lines.append(say("zalo_tokens.expires", at=expires_at, renews_at=begins_at))
    if is_working:
        lines.append(say("zalo_tokens.renewable", at=shown(facts.issued_at + RENEWABLE_FOR)))
    return lines


def _line(entry: TokenEntry) -> str:
    at, what = shown(entry.at), say(f"zalo_turn.{entry.what}")
    if entry.what in SETBACKS:
        return say("zalo_tokens.log_why", at=at, what=what, why=setback(entry.words))
    return say("zalo_tokens.log", at=at, what=what)


def _as_data(
    oa_id: str, facts: TokenFacts | None, lines: list[TokenEntry], *, opens: bool | None, at: datetime
) -> dict[str, object]:
    """Return the same for other programs: instants in city time, no value of a token."""
    log = [{"at": iso(each.at), "what": each.what, "words": each.words} for each in lines]
    if facts is None:
        return {"oa_id": oa_id, "state": None, "log": log}
    return {
        "oa_id": oa_id,
        "state": facts.state,
        "reason": facts.reason,
        "is_usable": is_usable(facts, now=at),
        "key_opens": opens,
        "issued_at": iso(facts.issued_at),
        "expires_at": iso(facts.expires_at) if facts.expires_at else None,
        "renews_at": iso(renews_at(facts)),
        "renewable_until": iso(facts.issued_at + RENEWABLE_FOR),
        "begun_at": iso(facts.started_at) if facts.started_at else None,
        "tries": facts.tries,
        "log": log,
    }
