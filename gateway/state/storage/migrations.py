"""The steps that made the database what it is: step N migrates version N - 1 (PRAGMA user_version) to N.

A released step is never changed; a change of the tables is a new step at the end. The tables as queries see
them are in the modules beside this one, and a test compares the two.
"""

from __future__ import annotations

#: For a file that was lost while the gateway was running: the process still uses account numbers, so none of those that
#: it knew is assigned again.
ANEW = (
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('accounts', 1000000 + abs(random() % 1000000000000))",
)

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE accounts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key BLOB NOT NULL UNIQUE
        )""",
        """CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            family TEXT NOT NULL,
            markup TEXT NOT NULL,
            device TEXT NOT NULL,
            language TEXT NOT NULL,
            via TEXT NOT NULL CHECK (via IN ('url', 'cookie')),
            sealed BLOB NOT NULL,
            touched REAL NOT NULL,
            expires REAL NOT NULL
        )""",
        "CREATE INDEX sessions_expires ON sessions (expires)",
        "CREATE INDEX sessions_account ON sessions (account)",
        """CREATE TABLE mailboxes (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name BLOB NOT NULL,
            uidvalidity INTEGER NOT NULL,
            PRIMARY KEY (account, number),
            UNIQUE (account, name, uidvalidity)
        ) WITHOUT ROWID""",
        """CREATE TABLE tickets (
            session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            nonce BLOB NOT NULL,
            claimed REAL NOT NULL,
            outcome TEXT,
            PRIMARY KEY (session, nonce)
        ) WITHOUT ROWID""",
        """CREATE TABLE tries (
            key BLOB PRIMARY KEY,
            level REAL NOT NULL,
            last REAL NOT NULL,
            until REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX tries_last ON tries (last)",
    ),
    (
        """CREATE TABLE settings (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            device TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (account, device, key)
        ) WITHOUT ROWID""",
        """CREATE TABLE reading (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            mailbox INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            position TEXT NOT NULL,
            page INTEGER NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (account, mailbox, uid)
        ) WITHOUT ROWID""",
        "CREATE INDEX reading_at ON reading (account, at)",
    ),
    (
        """CREATE TABLE links (
            digest BLOB PRIMARY KEY,
            sealed BLOB NOT NULL,
            expires REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX links_expires ON links (expires)",
    ),
    (
        """CREATE TABLE memories (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            sealed BLOB NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (account, kind, name)
        ) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE ended (
            digest BLOB PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            until REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX ended_until ON ended (until)",
        """CREATE TABLE kept (
            digest BLOB NOT NULL,
            name BLOB NOT NULL,
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            sealed BLOB NOT NULL,
            expires REAL NOT NULL,
            PRIMARY KEY (digest, name)
        ) WITHOUT ROWID""",
        "CREATE INDEX kept_expires ON kept (expires)",
    ),
    (
        """CREATE TABLE journal (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            key BLOB NOT NULL,
            session INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
            stage TEXT NOT NULL CHECK (stage IN ('claimed', 'submitting', 'accepted', 'done')),
            told BOOLEAN NOT NULL CHECK (told IN (0, 1)),
            at REAL NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (account, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX journal_session ON journal (session)",
    ),
    (
        "DROP TABLE tries",  # of the last hours; a new format
        """CREATE TABLE tries (
            key BLOB PRIMARY KEY,
            kept TEXT NOT NULL,
            last REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX tries_last ON tries (last)",
        """CREATE TABLE devices (
            digest BLOB PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            wrong INTEGER NOT NULL,
            expires REAL NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX devices_account ON devices (account)",
        "CREATE INDEX devices_expires ON devices (expires)",
    ),
    (
        # Claims by ticket alone become claims by ticket and posted content.
        "DROP TABLE tickets",
        """CREATE TABLE tickets (
            session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            act BLOB NOT NULL,
            ticket BLOB NOT NULL,
            claimed REAL NOT NULL,
            outcome TEXT,
            PRIMARY KEY (session, act)
        ) WITHOUT ROWID""",
        "CREATE INDEX tickets_ticket ON tickets (session, ticket)",
        "CREATE TABLE journal_by_ticket AS SELECT * FROM journal",
        "DROP TABLE journal",
        """CREATE TABLE journal (
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            key BLOB NOT NULL,
            act BLOB NOT NULL,
            session INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
            stage TEXT NOT NULL CHECK (stage IN ('claimed', 'submitting', 'accepted', 'done')),
            kind TEXT NOT NULL,
            told BOOLEAN NOT NULL CHECK (told IN (0, 1)),
            at REAL NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (account, key, act)
        ) WITHOUT ROWID""",
        """INSERT INTO journal (account, key, act, session, stage, kind, told, at, sealed)
            SELECT account, key, x'', session, stage, '', told, at, sealed FROM journal_by_ticket""",
        "DROP TABLE journal_by_ticket",
        "CREATE INDEX journal_session ON journal (session)",
    ),
    (
        """CREATE TABLE submissions (
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            at REAL NOT NULL,
            weight INTEGER NOT NULL
        )""",
        "CREATE INDEX submissions_at ON submissions (account, at)",
    ),
    (
        """CREATE TABLE admin_password (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            hash TEXT NOT NULL
        )""",
        """CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            origin TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL
        )""",
    ),
    (
        "ALTER TABLE sessions ADD COLUMN domain TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX sessions_domain ON sessions (domain)",
    ),
    (
        "ALTER TABLE accounts ADD COLUMN locked REAL",
        "ALTER TABLE accounts ADD COLUMN address BLOB",
        "ALTER TABLE sessions ADD COLUMN begun REAL NOT NULL DEFAULT 0",
        "CREATE INDEX journal_at ON journal (at)",
        "DELETE FROM tries",  # of the last hours; nothing says whose they are
        "ALTER TABLE tries ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tries ADD COLUMN person BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE tries ADD COLUMN counted BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE tries ADD COLUMN network TEXT NOT NULL DEFAULT ''",
    ),
    (
        """CREATE TABLE counts (
            day INTEGER NOT NULL,
            name TEXT NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (day, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE gauges (
            process TEXT PRIMARY KEY,
            at REAL NOT NULL,
            held TEXT NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE handhelds (
            agent TEXT NOT NULL,
            markup TEXT NOT NULL,
            device TEXT NOT NULL,
            budget INTEGER NOT NULL,
            known BOOLEAN NOT NULL CHECK (known IN (0, 1)),
            pages INTEGER NOT NULL,
            last REAL NOT NULL,
            PRIMARY KEY (agent, markup)
        ) WITHOUT ROWID""",
    ),
    # People who signed in before keep their markup.
    ("ALTER TABLE sessions ADD COLUMN chosen INTEGER NOT NULL DEFAULT 1 CHECK (chosen IN (0, 1))",),
    (
        """CREATE TABLE server_health (
            server TEXT PRIMARY KEY,
            seen REAL NOT NULL,
            sealed BLOB NOT NULL
        ) WITHOUT ROWID""",
    ),
)
