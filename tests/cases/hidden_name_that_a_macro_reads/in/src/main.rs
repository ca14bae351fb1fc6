const STYLE: &str = include_str!("../web/node_modules/style/style.css");
// include_str!("../.env")
fn main() {
    println!("{STYLE}");
}

#[cfg(test)]
mod tests {
    const CI: &str = include_str!("../.github/ci.yml");
}
