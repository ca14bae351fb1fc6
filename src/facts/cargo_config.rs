//! Cargo's own configuration, `.cargo/config.toml`, as far as it is in the build context: that is what cargo
//! will see in the image. The user's own, in the home folder, is left out on purpose.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::Libc;

/// The settings that matter to an image. Where several files apply, the one nearest to the workspace wins.
#[derive(Clone, Debug, Default)]
pub struct CargoConfig {
    /// The files, nearest first, relative to the context.
    pub files: Vec<Utf8PathBuf>,
    /// `build.rustc-wrapper`
    pub rustc_wrapper: Option<Setting<String>>,
    /// `build.rustc-workspace-wrapper`
    pub rustc_workspace_wrapper: Option<Setting<String>>,
    /// `build.target-dir`
    pub target_dir: Option<Setting<String>>,
    /// `build.build-dir`
    pub build_dir: Option<Setting<String>>,
    /// `build.target`
    pub target: Option<Setting<Vec<String>>>,
    /// Linkers and flags for the compiler that apply to programs for glibc.
    pub flags: Vec<Setting<String>>,
    /// Linkers and flags for the compiler that apply to programs for musl.
    pub musl_flags: Vec<Setting<String>>,
    /// The linker of programs for musl.
    pub musl_linker: Option<Setting<String>>,
    /// Whether flags are set for targets that musl's are among, which take the place of `build.rustflags`.
    pub musl_rustflags: bool,
    /// `[env]`, names with values.
    pub env: BTreeMap<String, String>,
    /// Folders that replace a registry, relative to the context.
    pub vendored: Vec<Utf8PathBuf>,
    /// `net.git-fetch-with-cli`
    pub git_fetch_with_cli: Option<Setting<bool>>,
}

/// A setting and the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// Relative to the context.
    pub file: Utf8PathBuf,
    /// The value.
    pub value: T,
}

/// Reads the files that cargo would read in `dir`, an absolute path, up to the context.
pub(super) fn read(dir: &Utf8Path, context: &Utf8Path) -> Result<CargoConfig> {
    let mut config = CargoConfig::default();
    for dir in dir.ancestors().take_while(|dir| dir.starts_with(context)) {
        // Where both are there, cargo reads the one without the ending.
        let found = ["config", "config.toml"].map(|name| dir.join(".cargo").join(name));
        let Some(path) = found.into_iter().find(|path| path.is_file()) else {
            continue;
        };
        let table: Table = toml::from_str(&fs_err::read_to_string(&path)?)
            .with_context(|| format!("failed to read `{path}`"))?;
        config.add(
            &table,
            super::relative(&path, context),
            &super::relative(dir, context),
        );
    }
    Ok(config)
}

impl CargoConfig {
    /// Adds the settings of a file that is farther away than those before it.
    fn add(&mut self, table: &Table, file: Utf8PathBuf, dir: &Utf8Path) {
        let setting = |value| Setting {
            file: file.clone(),
            value,
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let in_table = |name: &str| table.get(name).and_then(Value::as_table);

        if let Some(build) = in_table("build") {
            fn keep<T>(slot: &mut Option<T>, value: Option<T>) {
                *slot = slot.take().or(value);
            }
            keep(
                &mut self.rustc_wrapper,
                text(build.get("rustc-wrapper")).map(setting),
            );
            keep(
                &mut self.rustc_workspace_wrapper,
                text(build.get("rustc-workspace-wrapper")).map(setting),
            );
            keep(
                &mut self.target_dir,
                text(build.get("target-dir")).map(setting),
            );
            keep(
                &mut self.build_dir,
                text(build.get("build-dir")).map(setting),
            );
            let target = build
                .get("target")
                .map(words)
                .filter(|words| !words.is_empty());
            keep(
                &mut self.target,
                target.map(|value| Setting {
                    file: file.clone(),
                    value,
                }),
            );
            let flags = build.get("rustflags").map(words).unwrap_or_default();
            let flags: Vec<_> = flags.into_iter().map(setting).collect();
            self.musl_flags.extend(flags.iter().cloned());
            self.flags.extend(flags);
        }
        for (target, value) in in_table("target").into_iter().flatten() {
            let Some(value) = value.as_table() else {
                continue;
            };
            let linker = text(value.get("linker"));
            let flags = value.get("rustflags").map(words).unwrap_or_default();
            let all = linker.into_iter().chain(flags.iter().cloned());
            let all: Vec<_> = all.map(setting).collect();
            if applies(target, Libc::Musl) {
                let linker = text(value.get("linker")).map(setting);
                self.musl_linker = self.musl_linker.take().or(linker);
                self.musl_rustflags |= !flags.is_empty();
                self.musl_flags.extend(all.iter().cloned());
            }
            if applies(target, Libc::Gnu) {
                self.flags.extend(all);
            }
        }
        for (name, value) in in_table("env").into_iter().flatten() {
            let value = text(Some(value))
                .or_else(|| text(value.get("value")))
                .unwrap_or_default();
            self.env.entry(name.clone()).or_insert(value);
        }
        for (_, source) in in_table("source").into_iter().flatten() {
            let folder = source
                .get("directory")
                .or_else(|| source.get("local-registry"));
            self.vendored
                .extend(text(folder).map(|folder| dir.join(folder)));
        }
        let cli = in_table("net").and_then(|net| net.get("git-fetch-with-cli")?.as_bool());
        if self.git_fetch_with_cli.is_none() {
            self.git_fetch_with_cli = cli.map(|value| Setting {
                file: file.clone(),
                value,
            });
        }
        self.files.push(file);
    }
}

/// A list of strings, or one string of several words.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a key of `[target]`, a triple or a `cfg(…)`, is about such programs.
fn applies(target: &str, libc: Libc) -> bool {
    target_spec::eval(target, libc.target())
        .ok()
        .flatten()
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> CargoConfig {
        let mut config = CargoConfig::default();
        config.add(
            &toml::from_str(text).expect("TOML"),
            ".cargo/config.toml".into(),
            "".into(),
        );
        config
    }

    #[test]
    fn only_linux_flags_count() {
        let config = config(
            "[target.x86_64-pc-windows-gnu]\nlinker = 'mingw'\n\
             [target.'cfg(unix)']\nrustflags = '-C link-arg=-fuse-ld=lld'\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = 'clang'",
        );
        let flags: Vec<_> = config.flags.iter().map(|f| f.value.as_str()).collect();
        assert_eq!(flags, ["-C", "link-arg=-fuse-ld=lld", "clang"]);
        let flags: Vec<_> = config.musl_flags.iter().map(|f| f.value.as_str()).collect();
        assert_eq!(flags, ["-C", "link-arg=-fuse-ld=lld"]);
        assert!(config.musl_rustflags);
    }

    #[test]
    fn the_nearest_file_wins() {
        let mut config = config("[build]\ntarget-dir = 'near'");
        let far =
            toml::from_str("[build]\ntarget-dir = 'far'\nrustc-wrapper = 'sccache'").expect("TOML");
        config.add(&far, "../.cargo/config".into(), "..".into());
        assert_eq!(config.target_dir.map(|s| s.value).as_deref(), Some("near"));
        assert_eq!(
            config.rustc_wrapper.map(|s| s.value).as_deref(),
            Some("sccache")
        );
    }
}
