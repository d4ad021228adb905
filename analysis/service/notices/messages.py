"""The end of an analysis, in each form that a receiver understands.

References:
    CloudEvents 1.0, structured mode; Slack Block Kit; Microsoft Teams Adaptive Cards;
    Alertmanager's API v2.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from analysis.service import answers
from analysis.service.notices.targets import Form
from analysis.store import Record
from analysis.window import as_datetime

TYPE = "dev.serinus.analysis.completed"
_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
_TYPES = {"cloudevent": "application/cloudevents+json"}


def body(form: Form, record: Record, base_url: str) -> bytes:
    """Word an analysis that has ended."""
    make = {
        "cloudevent": _cloudevent,
        "slack": _slack,
        "teams": _teams,
        "alertmanager": _alertmanager,
    }[form]
    return json.dumps(make(record, base_url), ensure_ascii=False, allow_nan=False).encode()


def headers(form: Form, sent: bytes, secret: str, now: float) -> dict[str, str]:
    """Give the headers: what it is, and with a secret the proof that it is from us and new.

    The signature is the HMAC-SHA256 of `TIME.BODY`, hexadecimal; whoever checks it compares the
    time too, so that nothing can be sent again later.
    """
    told = {"Content-Type": _TYPES.get(form, "application/json"), "User-Agent": "serinus"}
    if secret:
        signed = f"{now:.0f}.".encode() + sent
        proof = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        told["X-Serinus-Signature"] = f"t={now:.0f},v1={proof}"
    return told


def _cloudevent(record: Record, base_url: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": TYPE,
        "source": base_url or "serinus",
        "id": record.id,  # the same however often it is sent
        "subject": record.key,
        "time": as_datetime(record.updated).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": answers.brief(record, base_url),
    }


def _title(record: Record) -> str:
    return f"{_MARKS.get(record.verdict or '', '')} {record.config}: {record.verdict}"


def _slack(record: Record, base_url: str) -> dict[str, Any]:
    link = answers.address(record, base_url)
    text = f"*{_title(record)}*\n{answers.reason(record)}\n<{link}|{record.key}>"
    return {
        "text": f"{_title(record)}: {answers.reason(record)}",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    }


def _teams(record: Record, base_url: str) -> dict[str, Any]:
    blocks = [
        {"type": "TextBlock", "text": _title(record), "weight": "Bolder", "size": "Medium"},
        {"type": "TextBlock", "text": answers.reason(record), "wrap": True},
    ]
    link = {"type": "Action.OpenUrl", "title": "Show", "url": answers.address(record, base_url)}
    card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks, "actions": [link]}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _alertmanager(record: Record, base_url: str) -> list[dict[str, Any]]:
    labels = {
        "alertname": "SerinusVerdict",
        "verdict": record.verdict or "",
        "severity": "critical" if record.verdict == "fail" else "info",
        "config": record.config,
        "namespace": record.namespace,
        "key": record.key,
    }
    return [
        {
            "labels": labels,
            "annotations": {"summary": answers.reason(record)},
            "generatorURL": answers.address(record, base_url),
        }
    ]
