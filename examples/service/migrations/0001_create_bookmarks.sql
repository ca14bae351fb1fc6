CREATE TABLE bookmarks (
    id         INTEGER PRIMARY KEY,
    url        TEXT NOT NULL,
    title      TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
