//! A database in C, in a volume, and a temporary file.

use std::io::Write;

fn main() {
    if std::env::args().any(|arg| arg == "temporary") {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"gone soon").unwrap();
        println!("a temporary file");
        return;
    }
    let database = rusqlite::Connection::open("/var/lib/store/notes.db").unwrap();
    database.execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('kept')").unwrap();
    let text: String = database.query_row("SELECT text FROM notes", [], |row| row.get(0)).unwrap();
    println!("the note is {text}");
}
