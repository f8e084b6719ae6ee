"""`tianyan hub add-user` and `hub set-password`: passwords are typed, never on the command line."""

import argparse
import getpass
import sys
from pathlib import Path

from tianyan.verb import USAGE

ROLES = ("viewer", "collector", "handler", "operator", "supervisor", "admin")


def add_options(parser: argparse.ArgumentParser) -> None:
    """CONFIG NAME --role ROLE."""
    parser.add_argument("config", type=Path, help="YAML file")
    parser.add_argument("name", help="what is typed to log in: a-z 0-9 . _ -")
    parser.add_argument("--role", required=True, choices=ROLES)
    parser.add_argument("--display-name", default="", help="the name that others see")
    parser.add_argument("--grid", help="code of the grid the post is limited to")
    parser.add_argument("--department", help="code of the department the post is limited to")


def password_options(parser: argparse.ArgumentParser) -> None:
    """CONFIG NAME."""
    parser.add_argument("config", type=Path, help="YAML file")
    parser.add_argument("name")


def add(options: argparse.Namespace) -> int:
    """Add a person."""
    from pydantic import ValidationError

    from hub.errors import HubError
    from hub.people.commands import add as add_person, wanted_user
    from tianyan.cli import print_lines, say_refused

    try:
        wanted = wanted_user(
            options.name, options.display_name, options.role, options.grid, options.department
        )
    except ValidationError as fault:
        first = fault.errors()[0]
        return say_refused(ValueError(f"{first['loc'][-1]}: {first['msg']}"))
    return print_lines(lambda: add_person(options.config, wanted, _ask), (HubError, OSError))


def set_password(options: argparse.Namespace) -> int:
    """Give a person another password."""
    from hub.errors import HubError
    from hub.people.commands import change_password
    from tianyan.cli import print_lines

    return print_lines(
        lambda: change_password(options.config, options.name, _ask), (HubError, OSError)
    )


def _ask() -> str:
    """Typed twice at a terminal; otherwise the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        print("tianyan: the two are not the same", file=sys.stderr)
        raise SystemExit(USAGE)
    return first
