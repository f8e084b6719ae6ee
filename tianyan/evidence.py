"""The verbs of evidence: check it, hand it over."""

import argparse
from pathlib import Path


def verify_options(parser: argparse.ArgumentParser) -> None:
    """What `tianyan evidence verify` takes."""
    parser.add_argument(
        "what", nargs="?", metavar="WHAT",
        help="a bundle's folder, a hub's configuration or data_dir, an alert's id or a case's"
        " number (with the looks asked for it), a look's order; left out: all evidence of the hub",
    )  # fmt: skip
    _hub_option(parser)
    parser.add_argument(
        "--key", action="append", default=[], metavar="BASE64",
        help="for a bundle: a device's public key as you know it from elsewhere",
    )  # fmt: skip


def export_options(parser: argparse.ArgumentParser) -> None:
    """What `tianyan evidence export` takes."""
    parser.add_argument("what", metavar="ALERT|CASE", help="an alert's id or a case's number")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    _hub_option(parser)
    parser.add_argument(
        "--originals-because", default="", metavar="REASON",
        help="the sealed originals too; the reason is written into the history",
    )  # fmt: skip


def verify(options: argparse.Namespace) -> int:
    """Check; 1 when something differs."""
    from hub.errors import HubError
    from hub.evidence_commands import verify as verified
    from tianyan.cli import print_lines

    return print_lines(
        lambda: verified(options.what, options.hub, options.key),
        (HubError, OSError),
        lambda line: line.get("state") == "bad",
    )


def export(options: argparse.Namespace) -> int:
    """Write a bundle; 1 when a file had to be left out."""
    from hub.errors import HubError
    from hub.evidence_commands import export as exported
    from tianyan.cli import print_lines

    return print_lines(
        lambda: exported(options.what, options.out, options.hub, options.originals_because),
        (HubError, OSError),
        lambda line: bool(line["summary"]["left_out"]),
    )


def _hub_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hub", type=Path, metavar="CONFIG|DATA_DIR",
        help="the hub's configuration or its data_dir (default: hub.yaml here)",
    )  # fmt: skip
