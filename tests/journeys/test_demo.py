"""`flask demo`: everything on one machine, with no settings, no account anywhere, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.cli.demo_settings import asks_for_demo
from portal.config import PROJECT_ROOT
from tests.browser import look_at, shoot
from tests.journeys.demo import NO_SETTINGS, Demo
from tests.journeys.running import eventually

#: A shell that is set up for a real portal, behind a proxy: none of it may reach the demo.
ANOTHERS_SETTINGS = {
    **NO_SETTINGS,
    "PORTAL_ENV": "production",
    "DATABASE_URL": "postgresql://nowhere.example/portal",
    "STRIPE_API_BASE": "https://nowhere.example",
    "SANDBOX_SECRET_KEY": "sk_test_of_somebody_else",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that has just been started for the first time."""
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    yield demo
    demo.close()


StartDemo = Callable[..., Demo]


@pytest.fixture
def start_again(demo: Demo) -> Iterator[StartDemo]:
    """Starts the demo on the data of the one above, which has to end for that."""
    begun: list[Demo] = []
    if demo.is_running:
        assert demo.end(signal.SIGINT) == 0

    def start(*, port: int = demo.port) -> Demo:
        begun.append(Demo(demo.folder, port=port, environment=ANOTHERS_SETTINGS))
        return begun[-1]

    yield start
    for again in begun:
        again.close()


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def in_its_shell(demo: Demo, command: str) -> None:
    """What the demo tells an operator to type; it must end well."""
    typed = f"set -a; . {demo.folder / 'env'}; set +a; {sys.executable} -m flask {command}"
    done = subprocess.run(
        ["sh", "-c", typed], cwd=PROJECT_ROOT, env=NO_SETTINGS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def all_children(demo: Demo) -> dict[int, str]:
    """The stand-in, the portal with its worker process, the worker, the host business."""
    return eventually(
        lambda: children if len(children := demo.children()) >= 5 else {}, what="all of the demo's processes"
    )


@pytest.mark.parametrize(
    ("words", "is_demo"),
    [
        ("/bin/flask --app wsgi demo", True),
        ("/lib/flask/__main__.py -A wsgi demo --port 5050", True),
        ("/bin/flask --app demo worker", False),
        ("/bin/flask --app wsgi affiliates block demo", False),
        ("/bin/gunicorn demo", False),
        ("/bin/flask", False),
    ],
)
def test_only_the_command_itself_is_taken_for_the_demo(words: str, is_demo: bool) -> None:
    assert asks_for_demo(words.split()) is is_demo


def test_one_command_without_any_setting_shows_a_portal_with_people_in_it(demo: Demo, page: Page) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", demo.address), demo.complaint()
    for key, status in (("vera", "verified"), ("rosa", "restricted"), ("nina", "none"), ("pavel", "pending")):
        demo.signs_in(page, key)
        expect(page.locator("[data-stripe-account-status]")).to_have_attribute(
            "data-stripe-account-status", status
        )
        shoot(page, f"demo-{key}")


def test_nobody_else_on_the_machine_reads_its_secrets(demo: Demo) -> None:
    assert demo.folder.stat().st_mode & 0o077 == 0
    assert [(demo.folder / name).stat().st_mode & 0o077 for name in ("env", "secrets.json")] == [0, 0]


def test_who_is_new_gets_earnings_and_is_paid_from_the_shell_it_describes(demo: Demo, page: Page) -> None:
    demo.signs_in(page, "ada")
    page.get_by_role("button", name="Create my affiliate account").click()
    expect(page).to_have_url(f"{demo.address}/payouts/preferences")
    page.goto(f"{demo.address}/dashboard")
    page.get_by_role("button", name="Set up Stripe payouts").click()
    page.locator("#outcome-approve").click()
    expect(page.locator("[data-stripe-account-status=verified]")).to_be_visible(timeout=20_000)
    page.goto(f"{demo.address}/payouts/new")
    page.get_by_label("Amount in USD").fill("198.00")
    page.get_by_role("button", name="Request payout").click()
    expect(page.locator("[data-payout-id]")).to_be_visible()
    receipt = "*-ada-example-com-payout-*-198-00-requested-*.eml"
    eventually(lambda: list((demo.folder / "mail").glob(receipt)), what="the mail about it")
    page.goto(f"{demo.address}/demo/mail/")
    page.get_by_role("link", name=re.compile(r"198\.00")).first.click()
    expect(page.frame_locator("iframe").get_by_text("Hello Ada Lindqvist,")).to_be_visible()
    look_at(page, "demo-mail")
    page.go_back()
    look_at(page, "demo-mailbox")
    page.go_back()
    shell = f"set -a; . {demo.folder / 'env'}; set +a; {sys.executable} -m flask process-payouts"
    subprocess.run(
        ["sh", "-c", shell], cwd=PROJECT_ROOT, env=NO_SETTINGS, check=True, stdout=subprocess.DEVNULL
    )
    page.reload()
    expect(page.locator("[data-payout-status=paid]")).to_be_visible()
    shoot(page, "demo-ada-paid")
    # weeks of made-up history are as sound as a real one
    in_its_shell(demo, "selfcheck")
    in_its_shell(demo, "reconcile")


def test_a_port_in_use_is_said_in_one_line(demo: Demo, tmp_path: Path) -> None:
    other = Demo(tmp_path / "data", port=demo.port)
    assert (other.wait(), other.address) == (1, "")
    said = f"Error: Port {demo.port} is in use. End what runs there, or choose another by --port.\n"
    assert other.complaint() == said
    other.close()


def test_a_second_demo_on_the_same_data_is_refused(demo: Demo) -> None:
    second = Demo(demo.folder)
    assert (second.wait(), second.address) == (1, "")
    assert second.complaint().startswith("Error: A demo runs already with the data in ")
    second.close()


def test_a_signal_ends_all_of_it_and_what_happened_stays_whatever_else_the_shell_is_set_up_for(
    start_again: StartDemo, page: Page
) -> None:
    again = start_again(port=0)  # at another address, and with it its identity provider
    children = all_children(again)
    again.signs_in(page, "vera")
    expect(page.locator("[data-balance=available]")).to_have_text("$412.50")
    assert again.end(signal.SIGTERM) == 0
    assert not [words for pid, words in children.items() if not is_gone(pid)]


def test_when_a_process_of_it_dies_it_says_which_and_ends(start_again: StartDemo) -> None:
    again = start_again()
    children = all_children(again)
    os.kill(next(pid for pid, words in children.items() if "portal.sandbox" in words), signal.SIGKILL)
    assert again.wait() == 1
    assert "The sandbox ended by itself (SIGKILL)." in again.complaint()
    assert not [words for pid, words in children.items() if not is_gone(pid)]


def test_a_killed_demo_leaves_nothing_running(start_again: StartDemo) -> None:
    again = start_again()
    children = all_children(again)
    again.end(signal.SIGKILL)
    eventually(lambda: all(is_gone(pid) for pid in children), what="its processes to end")
