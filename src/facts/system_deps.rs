//! The libraries that a manifest names for the crate `system-deps`, by the names that pkg-config has for them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Libc;

/// Reads `[package.metadata.system-deps]`, as far as it holds on Linux with these features.
pub(super) fn read(metadata: &Value, features: &BTreeSet<String>) -> Vec<String> {
    let mut libraries = Vec::new();
    if let Some(table) = metadata.get("system-deps").and_then(Value::as_object) {
        add(table, features, &mut libraries);
    }
    libraries
}

fn add(table: &Map<String, Value>, features: &BTreeSet<String>, libraries: &mut Vec<String>) {
    for (key, value) in table {
        if key.starts_with("cfg(") {
            let holds = super::cargo_config::applies(key, Libc::Gnu);
            if let (true, Some(table)) = (holds, value.as_object()) {
                add(table, features, libraries);
            }
            continue;
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let off = text("feature").is_some_and(|feature| !features.contains(feature));
        let optional = value.get("optional").and_then(Value::as_bool);
        if !off && optional != Some(true) {
            libraries.push(text("name").unwrap_or(key).to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_is_read() {
        let metadata = serde_json::json!({ "system-deps": {
            "glib_2_0": { "name": "glib-2.0", "version": "2.56", "v2_58": { "version": "2.58" } },
            "zlib": "1.2",
            "extra": { "version": "1", "feature": "extra" },
            "maybe": { "version": "1", "optional": true },
            "cfg(target_os = \"linux\")": { "alsa": "1" },
            "cfg(windows)": { "winmm": "1" },
        } });
        let mut libraries = read(&metadata, &BTreeSet::new());
        libraries.sort();
        assert_eq!(libraries, ["alsa", "glib-2.0", "zlib"]);
        let features = BTreeSet::from(["extra".to_owned()]);
        assert!(read(&metadata, &features).contains(&"extra".to_owned()));
    }
}
