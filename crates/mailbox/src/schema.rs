use database::Schema;

/// UID, UIDVALIDITY and MODSEQ are there from the first version on, so that IMAP needs no migration.
///
/// A mailbox counts its UIDs and modification sequence over all its folders: they increase within each. A message that
/// moves between folders leaves a tombstone behind and gets a new UID.
pub(crate) const SCHEMA: Schema = Schema {
    name: "the mailbox database",
    // "EcMb"
    id: 0x4563_4d62,
    steps: &[
        "
        CREATE TABLE uidvalidity(last INTEGER NOT NULL) STRICT;
        INSERT INTO uidvalidity VALUES (0);

        CREATE TABLE mailbox(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            uidvalidity INTEGER NOT NULL,
            uidnext INTEGER NOT NULL,
            modseq INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE message(
            id BLOB PRIMARY KEY,
            mailbox INTEGER NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            folder INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            modseq INTEGER NOT NULL,
            from_number TEXT,
            from_name TEXT,
            subject TEXT NOT NULL,
            received_ms INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            read INTEGER NOT NULL,
            urgent INTEGER NOT NULL,
            private INTEGER NOT NULL,
            deleted_ms INTEGER,
            size INTEGER NOT NULL,
            mime_before TEXT NOT NULL,
            mime_after TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX message_uid ON message(mailbox, folder, uid);

        CREATE TABLE tombstone(
            message BLOB NOT NULL,
            mailbox INTEGER NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            folder INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            modseq INTEGER NOT NULL,
            PRIMARY KEY (mailbox, folder, uid)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tombstone_message ON tombstone(message);

        CREATE TABLE greeting(
            mailbox INTEGER NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            audio TEXT NOT NULL,
            PRIMARY KEY (mailbox, kind)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE change(
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            mailbox TEXT NOT NULL,
            kind TEXT NOT NULL,
            message BLOB
        ) STRICT;
    ",
        // Kinds of messages, and what is said of them beside the read flag.
        "
        ALTER TABLE message ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE message ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE message ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE message ADD COLUMN preview TEXT;
        ALTER TABLE message ADD COLUMN preview_confidence INTEGER NOT NULL DEFAULT 0;
    ",
        // The name of its recording. Older messages have none: theirs is made of the id.
        "
        ALTER TABLE message ADD COLUMN audio TEXT;
    ",
    ],
    postgres: &["
        CREATE TABLE uidvalidity(last BIGINT NOT NULL);
        INSERT INTO uidvalidity VALUES (0);

        CREATE TABLE mailbox(
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            uidvalidity BIGINT NOT NULL,
            uidnext BIGINT NOT NULL,
            modseq BIGINT NOT NULL
        );

        CREATE TABLE message(
            id BYTEA PRIMARY KEY,
            mailbox BIGINT NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            folder BIGINT NOT NULL,
            uid BIGINT NOT NULL,
            modseq BIGINT NOT NULL,
            from_number TEXT,
            from_name TEXT,
            subject TEXT NOT NULL,
            received_ms BIGINT NOT NULL,
            duration_ms BIGINT NOT NULL,
            kind BIGINT NOT NULL,
            read BOOLEAN NOT NULL,
            urgent BOOLEAN NOT NULL,
            private BOOLEAN NOT NULL,
            protected BOOLEAN NOT NULL,
            flagged BOOLEAN NOT NULL DEFAULT FALSE,
            preview TEXT,
            preview_confidence BIGINT NOT NULL DEFAULT 0,
            deleted_ms BIGINT,
            size BIGINT NOT NULL,
            mime_before TEXT NOT NULL,
            mime_after TEXT NOT NULL,
            audio TEXT
        );
        CREATE UNIQUE INDEX message_uid ON message(mailbox, folder, uid);

        CREATE TABLE tombstone(
            message BYTEA NOT NULL,
            mailbox BIGINT NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            folder BIGINT NOT NULL,
            uid BIGINT NOT NULL,
            modseq BIGINT NOT NULL,
            PRIMARY KEY (mailbox, folder, uid)
        );
        CREATE INDEX tombstone_message ON tombstone(message);

        CREATE TABLE greeting(
            mailbox BIGINT NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            audio TEXT NOT NULL,
            PRIMARY KEY (mailbox, kind)
        );

        CREATE TABLE change(
            seq BIGINT PRIMARY KEY,
            mailbox TEXT NOT NULL,
            kind TEXT NOT NULL,
            message BYTEA
        );
        -- The number of the last change. Whoever writes holds this row, so that one server at a time does, and changes
        -- are numbered in the order of their commits, without gaps.
        CREATE TABLE feed(last BIGINT NOT NULL);
        INSERT INTO feed VALUES (0);

        -- Who tells the PBX about a mailbox, until when, and what it was told last.
        CREATE TABLE lamp(
            mailbox TEXT PRIMARY KEY,
            holder TEXT NOT NULL,
            until_ms BIGINT NOT NULL,
            told BIGINT NOT NULL,
            told_ms BIGINT NOT NULL
        );
    "],
    oldest: 1,
};

/// The folders of a mailbox, as the `folder` columns have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    Inbox = 0,
    Deleted = 1,
}

impl Folder {
    pub fn number(self) -> i64 {
        self as i64
    }
}
