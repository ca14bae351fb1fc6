//! Calls the clients of PostgreSQL and MySQL, and the SQLite, that the distribution has.

use diesel::{Connection, MysqlConnection, PgConnection};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let error = PgConnection::establish("postgres://127.0.0.1:9/none").err().expect("nobody listens");
    println!("libpq: {}", error.to_string().contains("Connection refused"));

    let error = MysqlConnection::establish("mysql://me@127.0.0.1:9/none").err().expect("nobody listens");
    println!("the MySQL client: {}", error.to_string().contains("127.0.0.1"));

    let database = rusqlite::Connection::open_in_memory()?;
    let answer: i64 = database.query_row("SELECT 6 * 7", [], |row| row.get(0))?;
    println!("SQLite says {answer}");
    Ok(())
}
