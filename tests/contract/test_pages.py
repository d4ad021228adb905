"""The pages without a browser: who sees what, what is escaped, what a form of others can do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from analysis.sources import recording as recordings
from analysis.store import Look, Status
from analysis.window import as_datetime
from tests.support.corpus import RECORDINGS, edited_shop, run
from tests.support.service import Answer, Client, serving

ONE = run("err1-1")
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OURS = {**BROWSER, "Sec-Fetch-Site": "same-origin"}
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
TOKENS: dict[str, dict[str, Any]] = {
    "shop": {"namespaces": ["shop"]},
    "bank": {"namespaces": ["bank"], "configs": ["other"]},
    "all": {},
}
PAGES = {
    "the list": "/",
    "an analysis": "/analyses/{id}",
    "its changing part": "/analyses/{id}/live",
    "two analyses": "/compare?left={id}&right={id}",
    "a history": "/services/shop",
    "the configurations": "/configs",
    "a configuration": "/configs/shop?dry=true&both=run%3Dx",
    "the form": "/judge",
    "the presets": "/presets",
    "a preset": "/presets/istio",
    "the API": "/docs",
}
INLINE = r"<style|<script(?! src=\"/static/)|<[a-z][^>]*\s(style|on\w+)="
AskedBy = Callable[[str], Client]


def a_token(name: str, scope: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(f"secret of {name}".encode()).hexdigest()
    return {"name": name, "sha256": digest, **scope}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskedBy]:
    """Serve to tokens; give a client for each, without one for `""`."""
    folder = tmp_path_factory.mktemp("pages")
    configs = folder / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    (configs / "broken.yaml").write_text(f"version: 7\n{json.dumps(HOSTILE)}: 1\n")
    tokens = folder / "tokens.json"
    tokens.write_text(json.dumps([a_token(name, scope) for name, scope in TOKENS.items()]))
    tape = recordings.load(RECORDINGS / ONE.name)
    with serving(
        configs,
        connect=lambda _: tape,
        clock=lambda: ONE.end + 60.0,
        tokens=tokens,
        inline=True,
    ) as client:
        yield lambda name: replace(client, token=f"secret of {name}" if name else "")


def begun(client: Client, key: str, *, namespace: str = "shop", **changes: Any) -> str:
    """Judge the recorded run under this key; give the analysis' id."""
    asked: dict[str, Any] = {
        "config": "shop",
        "variables": {"run": ONE.name, "namespace": namespace},
        "start": ONE.start,
        "end": ONE.end,
        **changes,
    }
    told = client.put(key, **{name: value for name, value in asked.items() if value})
    return str(told.json["id"])


@pytest.fixture(scope="module")
def analysis(shop: AskedBy) -> str:
    return begun(shop("shop"), "judged-once")


def seen(client: Client, path: str, **headers: str) -> Answer:
    return client.call("GET", path, headers={**BROWSER, **headers})


def sent(client: Client, path: str, headers: dict[str, str], **fields: str) -> Answer:
    return client.call("POST", path, headers=headers, data=fields or "", allow_redirects=False)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("token", ["", "nobody"])
def test_without_a_known_token_a_browser_asks_for_one(
    shop: AskedBy, analysis: str, path: str, token: str
) -> None:
    told = seen(shop(token), path.format(id=analysis))

    assert told.status == 401
    assert told.headers["WWW-Authenticate"].startswith("Basic ")
    assert "<h1>Who are you?</h1>" in told.text
    assert ONE.name not in told.text


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_the_right_token_sees_each_page_under_a_strict_policy(
    shop: AskedBy, analysis: str, path: str
) -> None:
    told = seen(shop("shop"), path.format(id=analysis))

    assert told.status == 200
    policy = told.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(INLINE, told.text)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_token_of_something_else_learns_nothing_from_any_page(
    shop: AskedBy, analysis: str, path: str
) -> None:
    told = seen(shop("bank"), path.format(id=analysis))

    expected = 404 if re.search(r"\{id\}|shop", path) else 200
    assert told.status == expected
    assert "judged-once" not in told.text
    assert "http_requests_total" not in told.text


def test_a_token_of_something_else_cancels_and_judges_nothing(shop: AskedBy, analysis: str) -> None:
    canceled = sent(shop("bank"), f"/analyses/{analysis}/cancel", {**OURS, **FORM})
    judged = sent(shop("bank"), "/judge/start", OURS, config="shop", lookback="1h", both="run=x")

    assert canceled.status == 404
    assert judged.status == 403
    assert "may not judge" in judged.text


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FOREIGN = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a neighbor of the domain": {"Sec-Fetch-Site": "same-site"},
    "an origin of another host": {"Origin": "http://evil.example"},
    "a hidden origin": {"Origin": "null"},
    "nobody knows where": {},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("path", ["/judge/start", "/analyses/{id}/cancel"])
def test_a_form_of_another_site_changes_nothing(
    shop: AskedBy, analysis: str, path: str, headers: dict[str, str]
) -> None:
    told = sent(shop("shop"), path.format(id=analysis), {**BROWSER, **headers, **FORM})

    assert told.status == 403
    assert "does not come from a page of this service" in told.text


def test_over_plain_http_the_origin_tells_whose_a_form_is(shop: AskedBy) -> None:
    client = shop("shop")

    headers = {**BROWSER, "Origin": client.url}
    told = sent(client, "/judge/start", headers, config="shop", both="namespace=shop")

    assert told.status == 422  # it came through, and lacks what it has to hold


def test_a_form_begins_the_same_analysis_as_a_program(shop: AskedBy) -> None:
    client = shop("shop")
    at = {
        "start": f"{as_datetime(ONE.start):%Y-%m-%dT%H:%M:%S}",
        "end": f"{as_datetime(ONE.end):%Y-%m-%dT%H:%M:%S}",
    }

    both = f"run={ONE.name}\nnamespace=shop"
    told = sent(client, "/judge/start", OURS, config="shop", both=both, **at)

    assert told.status == 303
    identity = told.headers["Location"].rpartition("/")[2]
    judged = client.until_completed(identity)
    assert judged["verdict"] == "fail"
    assert judged["key"].startswith("by-hand.")
    assert (judged["request"]["start"], judged["request"]["end"]) == (ONE.start, ONE.end)


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no configuration": ({"lookback": "1h"}, "no configuration is chosen; choose one"),
    "a line that is no variable": (
        {"config": "shop", "lookback": "1h", "both": "run"},
        "write one name=value on each line",
    ),
    "a variable that is missing": (
        {"config": "shop", "lookback": "1h"},
        "without a namespace; name one of its own, namespace=shop",
    ),
    "a duration that is none": (
        {"config": "shop", "lookback": "soon", "both": "run=x\nnamespace=shop"},
        "lookback",
    ),
    "a start that lies ahead": (
        {"config": "shop", "start": "2027-01-01T00:00:00", "both": "run=x\nnamespace=shop"},
        "lies in the future",
    ),
    "no time at all": ({"config": "shop", "both": "run=x\nnamespace=shop"}, "no start is given"),
    "too long a time": (
        {"config": "shop", "lookback": "400d", "both": "run=x\nnamespace=shop"},
        "100,000 at most are judged",
    ),
    "too short a time": (
        {"config": "shop", "lookback": "5s", "both": "run=x\nnamespace=shop"},
        "choose a longer stretch",
    ),
}


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG)
def test_what_a_form_lacks_is_told_beside_what_was_written(
    shop: AskedBy, fields: dict[str, str], message: str
) -> None:
    told = sent(shop("shop"), "/judge/start", OURS, **fields)

    assert told.status in {403, 422}
    assert message in told.text.replace("\n", " ")
    assert fields.get("both", "<form") in told.text


@pytest.mark.parametrize("path", ["/?key=hostile", "/compare", "/services/shop", "/analyses/{id}"])
def test_hostile_words_stand_as_words(shop: AskedBy, path: str) -> None:
    everything = shop("all")
    identity = begun(everything, "hostile", namespace=HOSTILE)

    told = seen(everything, path.format(id=identity))

    assert "hostile" in told.text
    assert "<script>alert" not in told.text
    assert "<img" not in told.text


def test_hostile_names_within_a_configuration_stand_as_words(shop: AskedBy, tmp_path: Path) -> None:
    named = edited_shop(tmp_path, ("name: error ratio", f"name: {json.dumps(HOSTILE)}"))
    identity = begun(shop("all"), "hostile-metric", config="", inline=named.read_text())

    pages = [f"/analyses/{identity}", f"/compare?left={identity}&right={identity}"]
    told = [seen(shop("all"), path).text for path in pages]

    assert all("&lt;script&gt;alert" in text for text in told)
    assert not any("<script>alert" in text or "<img" in text for text in told)


@pytest.mark.parametrize(
    "path",
    [
        f"/?key={HOSTILE}&namespace={HOSTILE}&config={HOSTILE}",
        f"/configs/shop?dry=true&both={HOSTILE}&canary=run%3D{HOSTILE}",
        "/configs/broken",
        f"/services/{HOSTILE}",
        f"/configs/{HOSTILE}",
        f"/judge?config={HOSTILE}",
        f"/presets?metric={HOSTILE}&kind={HOSTILE}",
        f"/presets/{HOSTILE}",
        f"/presets/istio?separation={HOSTILE}",
        f"/analyses/{HOSTILE}",
    ],
)
def test_hostile_words_of_an_address_stand_as_words(shop: AskedBy, path: str) -> None:
    told = seen(shop("all"), path)

    assert told.headers["Content-Type"].startswith("text/html")
    assert "<script>alert" not in told.text
    assert "<img" not in told.text


def test_no_query_leads_to_an_address_that_only_the_service_may_know(
    shop: AskedBy, analysis: str
) -> None:
    told = seen(shop("shop"), f"/analyses/{analysis}").text

    assert 'class="query"' in told
    assert "/graph?" not in told


def test_a_list_is_narrowed_by_each_filter(shop: AskedBy, analysis: str) -> None:
    client = shop("shop")
    for query in (
        "key=ged-on",
        "config=shop",
        "namespace=shop",
        "verdict=fail",
        "status=completed",
    ):
        assert f"/analyses/{analysis}" in seen(client, f"/?{query}").text, query
    for query in ("key=ged_on", "config=other", "namespace=x", "verdict=pass", "status=running"):
        assert f"/analyses/{analysis}" not in seen(client, f"/?{query}").text, query


def test_a_long_list_leads_from_page_to_page(shop: AskedBy) -> None:
    client = shop("all")
    expected = {begun(client, f"paged.{n}", namespace="pages", mode="async") for n in range(30)}

    found: list[str] = []
    path: str | None = "/?namespace=pages"
    while path:
        text = seen(client, path).text
        found += re.findall(r'data-item href="/analyses/(\w+)"', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older[1].replace("&amp;", "&") if older else None

    assert found == sorted(expected, reverse=True)


def test_a_configuration_is_checked_and_shows_what_it_would_ask(shop: AskedBy) -> None:
    client = shop("shop")

    good = seen(client, "/configs/shop?dry=true&both=run%3Dr1").text
    lacking = seen(client, "/configs/shop?dry=true").text
    broken = seen(client, "/configs/broken").text

    assert "http_requests_total{run=&#34;r1&#34;, track=&#34;canary&#34;" in good
    assert "cannot be asked" in lacking
    assert "run" in lacking
    assert "cannot be used" in broken
    assert "version" in broken


def test_what_differs_between_two_versions_is_shown_line_by_line(tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    told = (RECORDINGS / "canary.yaml").read_text()
    tape, times = recordings.load(RECORDINGS / ONE.name), count(ONE.end + 60.0)
    with serving(configs, connect=lambda _: tape, clock=lambda: next(times)) as client:
        for margin in ("15%", "20%"):
            (configs / "shop.yaml").write_text(told.replace("margin: 15%", f"margin: {margin}"))
            begun(client, f"margin-{margin[:2]}")
        (configs / "shop.yaml").write_text(told.replace("margin: 15%", "margin: 25%"))

        page = seen(client, "/configs/shop").text
        now, second, first = re.findall(r'name="left" value="([0-9a-f]{64})"', page)
        shown = seen(client, f"/configs/shop?left={first}&right={second}").text
        ahead = seen(client, f"/configs/shop?left={second}&right={now}").text

    assert "not used yet" in page
    assert re.findall(r'name="(?:left|right)" value="(\w+)"[^>]* checked', page) == [now, second]
    assert re.search(r'class="removed">-.*margin: 15%', shown)
    assert re.search(r'class="added">\+.*margin: 20%', shown)
    assert re.search(r'class="added">\+.*margin: 25%', ahead)


def test_of_a_version_only_the_analyses_are_counted_that_one_may_see(
    shop: AskedBy, analysis: str
) -> None:
    assert analysis

    counts = [
        [int(one) for one in re.findall(r"<td>(\d+)</td>", seen(shop(who), "/configs/shop").text)]
        for who in ("shop", "all")
    ]

    assert counts[0][0] >= 1
    begun(shop("all"), "of-another", namespace="elsewhere")
    after = [
        [int(one) for one in re.findall(r"<td>(\d+)</td>", seen(shop(who), "/configs/shop").text)]
        for who in ("shop", "all")
    ]
    assert after == [counts[0], [counts[1][0] + 1]]


def test_canceling_ends_an_analysis_and_leads_back_to_it(shop: AskedBy) -> None:
    client = shop("shop")
    ahead, mode = ONE.end + 3600, "async"
    identity = begun(client, "to-cancel", start=ahead, end=ahead + 3600, mode=mode)

    running = seen(client, f"/analyses/{identity}").text
    told = sent(client, f"/analyses/{identity}/cancel", {**OURS, **FORM})

    assert "Cancel this analysis" in running
    assert (told.status, told.headers["Location"]) == (303, f"/analyses/{identity}")
    after = seen(client, f"/analyses/{identity}").text
    assert "Cancel this analysis" not in after
    assert "canceled" in after


def test_a_browser_sends_the_token_as_a_password(shop: AskedBy, analysis: str) -> None:
    basic = base64.b64encode(b"whoever:secret of shop").decode()

    told = seen(shop(""), f"/analyses/{analysis}", Authorization=f"Basic {basic}")

    assert told.status == 200


def test_the_verdict_that_counted_is_told_where_a_report_says_another_today(shop: AskedBy) -> None:
    client, ahead = shop("all"), ONE.end + 3600
    identity = begun(client, "mended", start=ahead, end=ahead + 3600, mode="async")
    assert client.service is not None
    store = client.service.analyses.store
    assert store.claim(identity, "a test", 1e11, 2e11)
    tape = recordings.pack(recordings.load(RECORDINGS / ONE.name))
    look = Look(
        status=Status.COMPLETED,
        verdict="pass",
        score=100.0,
        summary="all was well",
        report=None,
        recording=tape,
        due=1e11,
    )
    assert store.finish(identity, "a test", look, ONE.end + 60.0)

    told = " ".join(seen(client, f"/analyses/{identity}").text.split())

    assert "The verdict that counted is <b>pass</b>" in told
    assert "what was recorded says <b>fail</b>" in told


def test_an_analysis_without_an_answer_says_so(shop: AskedBy) -> None:
    ahead = ONE.end + 3600
    identity = begun(shop("shop"), "ahead", start=ahead, end=ahead + 3600, mode="async")

    assert "No look had an answer yet" in seen(shop("shop"), f"/analyses/{identity}").text


@pytest.mark.parametrize("path", ["/kayenta/canary/00", "/flagger/none", "/prom/none"])
def test_what_programs_alone_call_answers_no_page(shop: AskedBy, path: str) -> None:
    assert seen(shop("shop"), path).json


def test_programs_are_answered_in_json_where_browsers_see_a_page(shop: AskedBy) -> None:
    client = shop("shop")

    page, document = seen(client, "/analyses/00"), client.get("/analyses/00")

    assert (page.status, document.status) == (404, 404)
    assert "<h1>Not found</h1>" in page.text
    assert document.json["error"]["code"] == "not_found"
    assert "frame-ancestors 'none'" in document.headers["Content-Security-Policy"]
