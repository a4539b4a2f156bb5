"""The keys of a keypad: one table by label, for every screen of both markups.

A label has the same key wherever it has one, and within the pages of one kind no key has two meanings; what does not
apply leaves its key unused. Rows of lists and menus have 1 to 9 in their order (ROW_KEYS), and the main button of a
form or a question has MAIN_KEY, whatever its label. docs/pages.md says the same, and
tests/walks/test_every_screen.py checks both. Nothing here may know a screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Number keys, then letters for lists with more rows than a keypad has keys.
ROW_KEYS: Final = "123456789abcdefghijk"
#: The main button of a form or a question: Send, Save, Search, Yes.
MAIN_KEY: Final = "1"
#: To the list, or to where a page was opened from; on lists, the menu.
BACK_KEY: Final = "0"
NEXT_KEY: Final = "#"
#: To what was before: the previous page, or the state before an operation; on the first page of a list, the current
#: list.
BEFORE_KEY: Final = "*"

_EVERYWHERE: Final = {
    "Next": NEXT_KEY,
    "Prev": BEFORE_KEY,
    "Undo": BEFORE_KEY,
    "Menu": BACK_KEY,
    "Back": BACK_KEY,
}
_LISTS: Final = {"Refresh": BEFORE_KEY, "Search again": BEFORE_KEY}
_MESSAGES: Final = {
    "Reply": "1",
    "Attachments": "2",
    "Reply all": "3",
    "Forward": "4",
    "Quick reply": "5",
    "Next message": "6",
    "Delete": "7",
    "More": "8",
    "Archive": "9",
}
#: Pages about a message other than its text; *Message* leads back to it.
_ABOUT_A_MESSAGE: Final = {
    "Message": "9",
    # More, and the second page of it
    "Flag": "1",
    "Unflag": "1",
    "Unread": "2",
    "Restore": "2",
    "Move": "3",
    "Copy": "4",
    "Junk": "5",
    "Not junk": "5",
    "Details": "6",
    "First page": "7",
    "Reply to list": "1",
    "Forward as file": "2",
    "Redirect": "3",
    "Edit as new": "4",
    "Add sender": "5",
    "Newer message": "6",
    "Next unread": "7",
    # details
    "From": "2",
    "As text": "3",
    "Reply to": "4",
    "To": "5",
    "Cc": "6",
    "Bcc": "7",
    "As HTML": "8",
    # an invitation, leaving a mailing list
    "Accept": "1",
    "Maybe": "2",
    "Decline": "3",
    "On the web": "2",
}
_FILES: Final = {"Original": "1", "Open": "1", "Show picture": "1", "Download": "1"}
_LINKS: Final = {"Open as sent": "2"}
_CONTACTS: Final = {"Write": "1", "Call": "2", "Edit": "5"}
_FOLDERS: Final = {
    "New folder here": "2",
    "Rename": "3",
    "Empty": "5",
    "Subscribe": "6",
    "Unsubscribe": "6",
}
_WRITING: Final = {
    "Attach": "2",
    "Save": "3",
    "Add more": "4",
    "Text": "5",
    "From my mail": "6",
    "Discard": "7",
    "More fields": "8",
    "Save and close": BACK_KEY,
}
_SETTINGS: Final = {"Signature": "5", "Remove": "7", "Sign out": "9"}
_ENTRY: Final = {"Sign in": MAIN_KEY, "Forget me": "7"}
_ERRORS: Final = {"Try again": "1"}

#: The key of each label, in English.
KEYS: Final[Mapping[str, str]] = (
    _EVERYWHERE
    | _LISTS
    | _MESSAGES
    | _ABOUT_A_MESSAGE
    | _FILES
    | _LINKS
    | _CONTACTS
    | _FOLDERS
    | _WRITING
    | _SETTINGS
    | _ENTRY
    | _ERRORS
)
