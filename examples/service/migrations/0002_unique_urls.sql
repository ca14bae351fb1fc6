CREATE UNIQUE INDEX bookmarks_url ON bookmarks (url);
