"""`python -m app.keys`: add, list and revoke keys. A running service follows within two seconds."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from app.access.key_file import Key, Keys, KeyScope, KeysError, change_keys, new_key, read_keys


def main(words: Sequence[str] | None = None) -> None:
    """Run a command. Exit with 0 done, 1 refused or failed, 2 wrong usage."""
    given = _parser().parse_args(words)
    try:
        given.run(given)
    except KeysError as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m app.keys", description=__doc__)
    file = os.environ.get("PROPENSE_KEYS")
    of_all = argparse.ArgumentParser(add_help=False)
    of_all.add_argument(
        "--file", type=Path, default=file, required=not file, help="the file of keys (default: PROPENSE_KEYS)"
    )
    commands = parser.add_subparsers(required=True, metavar="add | list | revoke")
    add = commands.add_parser("add", parents=[of_all], help="make a key and print it; it is not shown again")
    add.add_argument("--name", required=True, help="the name of its holder")
    scopes, scope_help = get_args(KeyScope), "what it may be used for; may be given twice"
    add.add_argument("--scope", required=True, action="append", choices=scopes, help=scope_help)
    add.add_argument("--days", type=float, help="days until it expires (default: never)")
    add.add_argument("--rate", type=float, help="requests a second (default: PROPENSE_RATE)")
    add.add_argument("--burst", type=float, help="requests at once (default: those of a tenth of a second)")
    add.set_defaults(run=_add)
    list_ = commands.add_parser("list", parents=[of_all], help="print the keys, without their secrets")
    list_.set_defaults(run=_list)
    revoke = commands.add_parser("revoke", parents=[of_all], help="remove a key")
    revoke.add_argument("id", help="the middle part of the key, as `list` prints it")
    revoke.set_defaults(run=_revoke)
    return parser


def _add(given: argparse.Namespace) -> None:
    scopes = tuple(dict.fromkeys(given.scope))
    key, text = new_key(given.name, scopes, expires=_expiry(given.days), rate=given.rate, burst=given.burst)
    change_keys(given.file, lambda keys: (*keys, key))
    sys.stdout.write(f"{text}\n")
    sys.stderr.write(f"key {key.id} of {key.name} is in {given.file}; its text is stored nowhere\n")


def _expiry(days: float | None) -> datetime | None:
    if days is None:
        return None
    try:
        return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    except (OverflowError, ValueError):
        raise KeysError(f"days must be a number up to a date of the calendar, got {days}") from None


def _list(given: argparse.Namespace) -> None:
    for key in read_keys(given.file):
        sys.stdout.write(f"{_line(key)}\n")


def _line(key: Key) -> str:
    expires = f"until {key.expires:%Y-%m-%d %H:%M}" if key.expires else "for ever"
    rate = f"{key.rate:g} a second" if key.rate else "usual rate"
    return f"{key.id}  {key.name}  {','.join(key.scopes)}  {expires}  {rate}"


def _revoke(given: argparse.Namespace) -> None:
    def without(keys: Keys) -> Keys:
        rest = tuple(key for key in keys if key.id != given.id)
        if rest == keys:
            raise KeysError(f"there is no key {given.id!r}; `python -m app.keys list` prints the ids")
        return rest

    read_keys(given.file)  # a missing file is refused, not created
    change_keys(given.file, without)
    sys.stderr.write(f"key {given.id} is revoked\n")


if __name__ == "__main__":
    main()
