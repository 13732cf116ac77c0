"""The command `studies report NAME [OTHER]`: makes a report from the database alone."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from studies._cli import run_door
from studies.base.errors import UsageError
from studies.base.steps import Tell, telling_steps
from studies.base.wording import format_bytes
from studies.planning.command_line import add_storage
from studies.storage.paths import Locations, locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study's report, the page of one trial, or one page that compares two studies, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    _refuse_mixtures(options)
    prints = options.pdf is not None
    with telling_steps(quiet=options.quiet) as steps:
        if options.bundle is not None:
            from studies.exchange import bundle

            bundle.check(options.bundle)
        if prints:
            from studies.exchange import pdf

            browser = pdf.check(options.pdf)
        path, told = _make(options, steps.tell)
        if prints:
            steps.tell("printing")
            size = pdf.export(path, options.pdf, browser=browser)
            told.append(f"Printed: {options.pdf} ({format_bytes(size)})")
    if not options.quiet:
        for line in told:
            print(line, file=sys.stderr)
    print(path)
    if options.open:
        webbrowser.open(path.absolute().as_uri())
    return 0


def _refuse_mixtures(options: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together."""
    if options.trial is not None and options.other is not None:
        raise UsageError(["--trial goes with one study, and two are named"], "Leave out OTHER or --trial.")
    if options.bundle is not None and options.other is not None:
        raise UsageError(
            ["--bundle packs one study, and two are named"],
            "Leave out OTHER, and bundle each study by itself.",
        )
    if options.bundle is not None and options.trial is not None:
        raise UsageError(
            ["--bundle packs a whole study, the pages of its confirmed trials included"], "Leave out --trial."
        )


def _make(options: argparse.Namespace, tell: Tell) -> tuple[Path, list[str]]:
    """Make what is asked for; return the page's path, and lines about what else there is."""
    from studies.database.lookup import find
    from studies.database.store import Store
    from studies.execution.run_files import begin_report, fetch_reports
    from studies.results.report_inputs import Findings, make_comparison, make_report, make_trial_page
    from studies.storage.remembered import remembering
    from studies.terminal.answer import how_to_share
    from studies.verification.damage import explaining_damage, refuse_damaged

    locations = locate(options.storage, options.output)
    with Store.open(locations.storage, create=False) as store:
        names = [options.name] if options.other is None else [options.name, options.other]
        with explaining_damage(store, *names):
            studies = [find(store, name) for name in names]
            locations = remembering(store, studies[0], locations)
            locations.check_output()
            refuse_damaged(store, *names, of_page=True)
            if len(studies) > 1:
                path = make_comparison(store, studies[0], studies[1], locations)
                return path, _published(path.parent.name, locations)
            (study,) = studies
            if options.trial is not None:
                return make_trial_page(store, study, options.trial, locations), _published(
                    study.name, locations
                )
            locations.make_folder(study.name)  # first: a name that no folder may have is told as that
            begin_report(study, locations)
            unread = fetch_reports(store, locations)
            findings = Findings.of(store, study)
            path = make_report(store, study, locations, findings=findings)
            told = [*filter(None, [unread]), *_published(study.name, locations)]
            if options.bundle is None:
                return path, [*told, *how_to_share(study.name, locations.arguments)]
            from studies.exchange import bundle

            size = bundle.export(store, study, findings, path, options.bundle, tell=tell)
            return path, [*told, f"Packed: {options.bundle} ({format_bytes(size)})"]


def _published(name: str, locations: Locations) -> list[str]:
    """Copy a page to the place of the output; return a line about that, none where it lies in a folder."""
    from studies.execution.run_files import publish

    if locations.place is None:
        return []
    return [publish(name, locations) or f"Copied to {locations.shown(name)}"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies report",
        description="Make a study's report again from the database, finished or not; "
        "with two studies, one page that sets them side by side.",
        epilog="Example: studies report depth_study --open",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="a second study, to compare the two")
    parser.add_argument(
        "--trial",
        type=int,
        metavar="N",
        help="only this trial's page: its losses, every layer over the epochs, its networks' verdicts and why",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE.zip",
        help="also pack the page, its figures, all frames, the trials' pages and the model's card into this file",
    )
    parser.add_argument(
        "--pdf",
        type=Path,
        metavar="FILE.pdf",
        help="also print the page into this file, by a Chromium, Chrome or Edge (on PATH, or named by CHROME_PATH)",
    )
    parser.add_argument("--quiet", action="store_true", help="print the page's path alone")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
