"""Reports: the reason in words comes first, then the recipients and the mail concerned."""

from __future__ import annotations

import pytest

from gateway.message.mime import wire_format
from gateway.rendition import Context, render, selection
from tests.rendition.mails import said

RETURNED = (
    "Content-Type: message/rfc822\n\nFrom: ann@example.net\nTo: zoe@example.org\nSubject: Lamp\n\nMy words.\n"
)
HEADERS = "Content-Type: text/rfc822-headers\n\nFrom: ann@example.net\nTo: zoe@example.org\nSubject: Lamp\n"
WORDS = "Content-Type: text/plain\n\nIt could not be delivered.\n"
STATUS = (
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
    "Final-Recipient: rfc822; zoe@example.org\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
)
REASON = "Recipient: zoe@example.org · Result: failed · Status: 5.1.1 · Reason: 550 5.1.1 no such user"


def report(*parts: str, kind: str = "delivery-status") -> list[str]:
    """Render a report of these parts; return its blocks without their kinds."""
    body = "".join(f"--B\n{part}\n" for part in parts)
    octets = (
        f"Subject: Report\nContent-Type: multipart/report; report-type={kind}; boundary=B\n\n{body}--B--\n"
    )
    found = wire_format.parse(octets.encode())
    return [line.partition(" ")[2] for line in said(list(render(found.message, Context(), found.octets)))]


def test_a_report_says_which_mail_it_is_about() -> None:
    for original in (RETURNED, HEADERS):
        assert report(WORDS, STATUS, original) == ["It could not be delivered.", REASON, "Subject: Lamp"]
    other = RETURNED.replace("zoe@", "Bob <bob@").replace("org\n", "org>\n")
    assert report(WORDS, STATUS, other)[2:] == ["Subject: Lamp", "To: Bob"]
    assert report(WORDS, STATUS) == ["It could not be delivered.", REASON]


@pytest.mark.parametrize("place", ["before", "behind", "own part", "in the middle"])
def test_a_reason_that_only_stands_among_the_fields_is_read(place: str) -> None:
    words = "This message was undeliverable due to the following reason:\n\n<zoe@example.org> takes no mail today."
    fields = STATUS.partition("\n\n")[2]
    status = {
        "before": [f"Content-Type: message/delivery-status\n\n{words}\n\n{fields}"],
        "behind": [STATUS + f"\n{words}\n"],
        "own part": [f"Content-Type: message/delivery-status\n\n{words}\n", STATUS],
        "in the middle": [STATUS.replace("\n\nFinal", f"\n\n{words}\n\nFinal")],
    }[place]
    assert report(*status, RETURNED)[:3] == [
        "This message was undeliverable due to the following reason:",
        "<zoe@example.org> takes no mail today.",
        REASON,
    ]


def test_brackets_and_capitals_of_fields_do_not_matter() -> None:
    status = STATUS.replace("rfc822; zoe@example.org", "RFC822; <zoe@example.org>").replace(
        "failed", "Failed"
    )
    assert report(WORDS, status)[1] == REASON


MDN = (
    "Content-Type: message/disposition-notification\n\nReporting-UA: lamp.example.org; Lamp 1.0\n"
    "Original-Recipient: rfc822;zoe@example.org\nFinal-Recipient: rfc822;zoe@example.org\n"
    "Original-Message-ID: <1@example.net>\nDisposition: manual-action/MDN-sent-manually; displayed\n"
)


@pytest.mark.parametrize(
    ("disposition", "result"),
    [
        ("manual-action/MDN-sent-manually; displayed", "displayed"),
        ("automatic-action/MDN-sent-automatically; deleted", "deleted unread"),
        ("manual-action/MDN-sent-manually; displayed/error", "displayed"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_receipt_is_a_short_table(disposition: str, result: str) -> None:
    mdn = MDN.replace("manual-action/MDN-sent-manually; displayed", disposition)
    assert report(WORDS, mdn, HEADERS, kind="disposition-notification")[1:] == [
        "Recipient: zoe@example.org",
        f"Result: {result}",
        "Subject: Lamp",
    ]


def test_a_complaint_is_a_short_table() -> None:
    arf = (
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Lamp/1.0\nVersion: 1\n"
        "Original-Mail-From: <ann@example.net>\nOriginal-Rcpt-To: <zoe@example.org>\nSource-IP: 192.0.2.1\n"
    )
    assert report(WORDS, arf, RETURNED, kind="feedback-report")[1:] == [
        "Complaint: abuse",
        "Recipient: zoe@example.org",
        "Sender: ann@example.net",
        "Server: 192.0.2.1",
        "Subject: Lamp",
    ]


@pytest.mark.parametrize(
    "noise", ["", "\n\n\n", ":::\n", "Final-Recipient\n", "Action: \n\nStatus", "Disposition: ;/;\n"]
)
@pytest.mark.parametrize("kind", ["delivery-status", "disposition-notification", "feedback-report"])
def test_no_report_is_too_broken(noise: str, kind: str) -> None:
    assert (
        report(WORDS, f"Content-Type: message/{kind}\n\n{noise}", kind=kind)[0]
        == "It could not be delivered."
    )


def test_the_returned_mail_is_still_there_to_be_opened() -> None:
    octets = "Content-Type: multipart/report; boundary=B\n\n" + "".join(
        f"--B\n{part}\n" for part in (WORDS, STATUS, RETURNED)
    )
    found = wire_format.parse(f"{octets}--B--\n".encode())
    assert [part.section for part in selection.attachments(found.message)] == ["3"]
