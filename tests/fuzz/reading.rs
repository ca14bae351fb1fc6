//! What is asked of everything that reads files. It never panics, whatever it is given.

use cargo_dockerize::config::{Config, PackageConfig, Table, read};
use cargo_dockerize::files::mark;
use cargo_dockerize::{dockerfile, drift, facts};

/// All that is read of a committed Dockerfile. It answers whatever it is given, and the same again.
pub(crate) fn read_dockerfile(text: &str) {
    let _ = mark::owner(text);
    let _ = facts::from_lines(text).count();
    if let Ok(file) = dockerfile::read(text) {
        assert!(
            drift::differences(&file, &file).is_empty(),
            "it differs from itself: {text}"
        );
        assert!(drift::settings(&file, &file).is_empty());
    }
    let sealed = mark::sealed(text);
    assert_eq!(mark::owner(&sealed), mark::Owner::Tool);
}

/// All that is read of the configuration. An error names its line.
pub(crate) fn read_configuration(text: &str) {
    let Ok(manifest) = toml::from_str::<toml::Table>(text) else {
        return;
    };
    for table in [Table::Workspace, Table::Package] {
        let Some(metadata) = manifest
            .get(table.name())
            .and_then(|table| table.get("metadata"))
        else {
            continue;
        };
        let Ok(metadata) = serde_json::to_value(metadata) else {
            continue;
        };
        let text = || Some(text.to_owned());
        let errors = [
            read::<Config>(&metadata, table, "Cargo.toml".into(), text).err(),
            read::<PackageConfig>(&metadata, table, "Cargo.toml".into(), text).err(),
        ];
        for error in errors.into_iter().flatten() {
            assert!(error.line.is_some(), "{error}");
            assert!(error.to_string().contains("dockerize"), "{error}");
        }
    }
}
