"""`esc-router status`: whether all is in step, and if not, what, since when, why, what to do."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Annotated, Any

import typer

from issuer.cli.deployment import institution_of, open_deployment
from issuer.cli.printing import moment, out, plain
from issuer.cli.refusals import OK, REFUSED
from issuer.clock import seconds_of
from issuer.esc_router.advice import advice_for
from issuer.esc_router.overview import KeyState, LastReconciliation, Overview
from issuer.esc_router.surveying import overview_of
from issuer.routes.router import router_answer
from issuer.store import institutions
from issuer.store.deliveries import DeliveryState

_VALUES_FROM = 18  # column
_WIDEST = 100  # columns
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def show_status(
    pic: Annotated[
        str | None, typer.Argument(help="Of one institution, with all details; all if none")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For scripts: the documents of the staff API")
    ] = False,
) -> None:
    """Show whether both sides are in step; if not: what, since when, why, and what to do.

    Ends with 0 if all is in step, with 1 if something waits, fails or differs, with 3 if the
    database cannot be used.
    """
    with open_deployment() as deployment, deployment.reading() as session:
        now = seconds_of(deployment.now)
        rows = [institution_of(session, pic)] if pic else institutions.every(session)
        found = [overview_of(session, row, now=now) for row in rows]
    if as_json:
        documents = [router_answer(one, now=now).model_dump(mode="json") for one in found]
        typer.echo(json.dumps(documents, ensure_ascii=False, indent=2))
    else:
        _show(found, now=now, in_full=pic is not None)
    sys.exit(OK if all(one.is_in_step for one in found) else REFUSED)


def _show(found: Sequence[Overview], *, now: int, in_full: bool) -> None:
    behind = sum(not one.is_in_step for one in found)
    if behind:
        which = "" if len(found) == 1 else f": {behind} of {len(found)} institutions"
        out.print(f"[bold red]Not in step[/]{which}")
    elif found:
        out.print("[bold green]In step[/]: the ESC-Router holds what it should")
    else:
        out.print("There is no institution yet")
    for one in found:
        _show_one(one, now=now, in_full=in_full)


def _show_one(one: Overview, *, now: int, in_full: bool) -> None:
    verdict = "[green]in step[/]" if one.is_in_step else "[red]not in step[/]"
    out.print(f"\n[bold]{one.pic} {plain(one.name)}[/]: {verdict}")
    for name, value in _facts(one, now=now, in_full=in_full or not one.is_in_step):
        _show_fact(name, value)
    for what, command in advice_for(one, now=now):
        out.print(f"  [bold]→ {plain(what)}[/]")
        if command is not None:
            out.print(f"    {plain(command)}", soft_wrap=True)


def _show_fact(name: str, value: str) -> None:
    """The value beside its name, in lines that are not torn apart by a narrow terminal."""
    label = f"  {name}".ljust(_VALUES_FROM)
    width = max(min(out.width, _WIDEST), 2 * _VALUES_FROM)
    for line in wrap(
        value,
        width,
        initial_indent=label,
        subsequent_indent=" " * _VALUES_FROM,
        break_on_hyphens=False,
    ):
        out.print(plain(line), soft_wrap=True)


def _facts(one: Overview, *, now: int, in_full: bool) -> Iterator[tuple[str, str]]:
    yield "Cards", _counted(one.cards)
    if one.key_refused_at is not None:
        yield "Router key", f"refused {_since(one.key_refused_at, now)}"
    elif one.key == KeyState.MISSING:
        yield "Router key", "none is stored"
    if one.circuit_open_since is not None:
        tried = f"tried again at {moment(one.probe_at)}"
        yield "ESC-Router", f"does not answer {_since(one.circuit_open_since, now)}; {tried}"
    if one.paused_until is not None:
        yield "ESC-Router", f"asked us to wait until {moment(one.paused_until)}"
    yield from _deliveries(one, now=now)
    if one.erasures:
        yield "Erasures", f"{one.erasures} under way"
    if in_full or one.reconciliation is not None:
        yield "Reconciliation", _reconciliation(one, now=now)
    if in_full or one.last_delivered_at is not None:
        yield "Last delivery", _ago(one.last_delivered_at, now)
    if in_full:
        yield "Worker", f"seen {_ago(one.worker_seen_at, now)}"


def _deliveries(one: Overview, *, now: int) -> Iterator[tuple[str, str]]:
    waiting = one.deliveries[DeliveryState.WAITING]
    if waiting and one.oldest_waiting_at is not None:
        oldest = f"the oldest {_since(one.oldest_waiting_at, now)}"
        yield "Waiting", f"{_many(waiting, 'delivery', 'deliveries')}, {oldest}"
    for reason in one.reasons:
        number = _many(reason.deliveries, "delivery", "deliveries")
        said = f"{number} {_since(reason.since, now)}: {reason.why}"
        again = reason.next_attempt_at
        yield (
            reason.standing.capitalize(),
            said if again is None else f"{said}; tried again at {moment(again)}",
        )


def _reconciliation(one: Overview, *, now: int) -> str:
    words = [_last(one.reconciliation, left=one.differences_left, now=now)]
    if one.reconciling_since is not None:
        words.append(f"one is under way {_since(one.reconciling_since, now)}")
    if one.reconciling_error is not None:
        words.append(one.reconciling_error)
    if one.next_reconciliation_at is not None:
        words.append(f"next {moment(one.next_reconciliation_at)}")
    return "; ".join(words)


def _last(last: LastReconciliation | None, *, left: int, now: int) -> str:
    if last is None:
        return "never"
    when = _ago(last.finished_at, now)
    if not last.differences:
        return f"{when}: both sides equal"
    kinds = _counted(last.by_kind, total=False)
    differences = _many(last.differences, "difference", "differences")
    return f"{when}: {differences} ({kinds}), {left} left"


def _counted(counts: Mapping[Any, int], *, total: bool = True) -> str:
    named = [(str(name).replace("_", " "), number) for name, number in counts.items()]
    parts = [f"{number:,} {name}" for name, number in named if number]
    if not total:
        return ", ".join(parts)
    number = sum(counts.values())
    return f"{number:,}: {', '.join(parts)}" if number else "none"


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _since(at: int, now: int) -> str:
    return f"since {moment(at)} ({_duration(now - at)})"


def _ago(at: int | None, now: int) -> str:
    return "never" if at is None else f"{moment(at)} ({_duration(now - at)} ago)"


def _duration(seconds: int) -> str:
    """A length of time in its largest unit that is at least 2, by which nobody is misled."""
    for unit, length in _UNITS:
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"
