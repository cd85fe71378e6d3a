"""Play the whole journey of cards with real services; exit code 0 if it turned out as told."""

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from wallet_api.demo.carrying import show_card, take_card
from wallet_api.demo.checking import fetch_and_check
from wallet_api.demo.ending import end_card
from wallet_api.demo.keeping import HOW_TO_KEEP, keep_services
from wallet_api.demo.place import Place, make_place
from wallet_api.demo.services import ServiceFailed, Services
from wallet_api.demo.setting_up import (
    Deployment,
    import_students,
    set_up,
    wait_for_router,
)
from wallet_api.demo.telling import StepFailed, Story


def main(words: list[str]) -> int:
    """Run the demo; returns its exit code."""
    arguments = _parse(words)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    try:
        place = make_place(arguments.folder.absolute())
    except OSError as error:
        console.print(f"The demo's folder cannot be made: {error}", markup=False)
        return 1
    story = Story(console, place.environment())
    # However it is asked to end, its services end with it; in the background, too, where shells
    # let Ctrl-C be ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Services(place.environment(), place.folder / "log") as services:
            deployment = _tell(story, place, services)
            if arguments.keep:
                keep_services(console, place, services, deployment)
            else:
                console.print(HOW_TO_KEEP, markup=False)
    except (StepFailed, ServiceFailed) as error:
        console.print(f"\nThe demo stopped: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
    return 0


def _tell(story: Story, place: Place, services: Services) -> Deployment:
    deployment = set_up(story, place, services)
    cards = import_students(story, place, deployment)
    wait_for_router(story, place, deployment, cards)
    pic, escn = take_card(story, place, deployment)
    phone = show_card(story, place, pic, escn)
    fetch_and_check(story, place, deployment, phone)
    end_card(story, place, deployment, phone)
    story.console.print()
    story.console.print(story.table())
    story.console.print(f"\nEverything is in {place.folder}.", markup=False)
    return deployment


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m wallet_api.demo", description=__doc__)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the services up at the end, and say where they are",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".demo"),
        help="for all that it makes; emptied first (default: .demo)",
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
