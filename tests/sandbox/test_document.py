"""docs/stand-in.md: every command in it is run as it stands, and it names all there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from portal.sandbox.__main__ import options
from portal.sandbox.disorder import Disorder
from portal.sandbox.fates import FATES
from portal.sandbox.faults import Fault
from tests.equipment import curl
from tests.sandbox.process import KEY, PATIENCE_SECONDS, ROOT, Listener, running
from tests.stripe_description.description import version

DOCUMENT = (ROOT / "docs/stand-in.md").read_text(encoding="utf-8")
START, *COMMANDS = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
DOCUMENTED_ADDRESS, DOCUMENTED_KEY = "http://127.0.0.1:5001", "sk_test_sandbox"


def test_every_command_of_the_document_does_what_it_says(listener: Listener, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text("fail-with-body\nshow-error\nmax-time = 20\n", encoding="utf-8")
    script = "\n".join(COMMANDS)
    assert script.count("curl -s") == DOCUMENT.count("curl -s") > 50
    with running(webhook_port=listener.server_port) as (base, _):
        script = script.replace(DOCUMENTED_ADDRESS, base).replace(DOCUMENTED_KEY, KEY)
        done = subprocess.run(
            ["sh", "-euxc", script],
            env={"PATH": f"{curl().parent}:/usr/bin:/bin", "CURL_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2_000:] + done.stdout[-2_000:]
    for name, prefix in (("ACCOUNT", "acct_"), ("TRANSFER", "tr_"), ("PAYOUT", "po_"), ("EVENT", "evt_")):
        assert re.search(rf"^\+ {name}={prefix}\w+$", done.stderr, re.MULTILINE), name


def test_the_command_that_starts_it_is_one_that_it_takes() -> None:
    module, *arguments = START.split()[2:]
    assert module == "portal.sandbox"
    assert options({}).parse_args(arguments).port == "5001"


@pytest.mark.parametrize("kind", [Fault, Disorder, FATES])
def test_everything_that_can_happen_is_named_with_what_it_does(kind: type[Fault]) -> None:
    tables = "\n".join(line for line in DOCUMENT.splitlines() if line.startswith("| `"))
    assert [name for name in kind if f"`{name}`" not in tables] == []


def test_every_fault_and_disorder_has_a_command_to_copy() -> None:
    for kind, names in (("fault", Fault), ("disorder", Disorder)):
        assert [name for name in names if f"-d {kind}={name} " not in DOCUMENT.replace("\n", " ")] == []


def test_it_says_by_which_description_of_stripes_it_is_held() -> None:
    assert f"version {version()} " in DOCUMENT
    assert "`make stripe-description` renews it" in DOCUMENT
