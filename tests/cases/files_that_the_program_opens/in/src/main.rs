//! A shop. The word `data` here is no path, and what tests open nobody ships.

struct Arg(&'static str);

impl Arg {
    fn new(name: &'static str) -> Self {
        Self(name)
    }

    fn with_name(name: &'static str) -> Self {
        Self(name)
    }
}

/// The name is that of a file, but for its ending.
struct File(&'static str);

impl File {
    fn with_name(name: &'static str) -> Self {
        Self(name)
    }
}

fn main() -> std::io::Result<()> {
    let page = std::fs::read_to_string("templates/index.html")?;
    let config = std::fs::read_to_string("./config.toml")?;
    let styles = std::path::Path::new("static").join("shop.css");
    let prices = std::fs::read_to_string("json/prices.json")?;
    let key = std::fs::read_to_string("json/shop.key");
    // The context has none.
    let services = std::fs::read_to_string("compose.yml");
    println!("{services:?}");
    println!("{page}{config}{prices}{}{}{key:?}", styles.display(), Arg::new("data").0);
    println!("{}{}", File::with_name("taxes").0, Arg::with_name("data").0);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn documented() {
        assert!(std::path::Path::new("docs/config.yml").exists());
    }
}
