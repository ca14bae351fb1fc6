//! Cargo's own configuration, `.cargo/config.toml`, as far as it is in the build context: that is what cargo
//! will see in the image. The user's own, in the home folder, is left out on purpose.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::Libc;
use crate::path::below;

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
    /// `build.rustflags`
    build_flags: Vec<Setting<String>>,
    /// `[target]`, as far as it is about programs for glibc.
    gnu: ForTarget,
    /// `[target]`, as far as it is about programs for musl.
    musl: ForTarget,
    /// `[env]`
    pub env: BTreeMap<String, Setting<String>>,
    /// Folders that replace a registry, relative to the context.
    pub vendored: Vec<Utf8PathBuf>,
    /// Addresses of registries: `registries.NAME.index`, `source.NAME.registry`.
    pub registries: Vec<String>,
    /// `net.git-fetch-with-cli`
    pub git_fetch_with_cli: Option<Setting<bool>>,
    /// Whether `net.ssh.known-hosts` is set.
    pub knows_hosts: bool,
}

/// What `[target]` says of programs for one C library.
#[derive(Clone, Debug, Default)]
struct ForTarget {
    linkers: Vec<Setting<String>>,
    flags: Vec<Setting<String>>,
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
        if let Some(path) = found.into_iter().find(|path| path.is_file()) {
            config.read_file(&path, dir, context)?;
        }
    }
    Ok(config)
}

impl CargoConfig {
    /// The flags that cargo gives to the compiler: those of the target, or else those of the build.
    pub fn flags(&self, libc: Libc) -> &[Setting<String>] {
        if self.has_target_flags(libc) {
            &self.of(libc).flags
        } else {
            &self.build_flags
        }
    }

    /// Whether flags are set for the target, which take the place of `build.rustflags`.
    pub fn has_target_flags(&self, libc: Libc) -> bool {
        !self.of(libc).flags.is_empty()
    }

    /// The linkers that are set for the target, the nearest one first.
    pub fn linkers(&self, libc: Libc) -> &[Setting<String>] {
        &self.of(libc).linkers
    }

    /// Whether git itself fetches repositories.
    pub fn fetches_with_git(&self) -> bool {
        self.git_fetch_with_cli.as_ref().is_some_and(|on| on.value)
    }

    fn of(&self, libc: Libc) -> &ForTarget {
        match libc {
            Libc::Gnu => &self.gnu,
            Libc::Musl => &self.musl,
        }
    }

    /// Adds a file that is farther away than those before it, and what it includes. Paths in it are relative
    /// to `dir`, but for those of included files.
    fn read_file(&mut self, path: &Utf8Path, dir: &Utf8Path, context: &Utf8Path) -> Result<()> {
        let text = fs_err::read_to_string(path)?;
        let table: Table =
            toml::from_str(&text).with_context(|| format!("failed to read `{path}`"))?;
        let (file, relative_dir) = (
            super::relative(path, context),
            super::relative(dir, context),
        );
        self.add(&table, file, &relative_dir);
        for included in includes(&table) {
            let included = path.with_file_name(included);
            // One that is not there may be optional, or else cargo has complained already.
            if included.is_file() && !self.files.contains(&super::relative(&included, context)) {
                self.read_file(&included, dir, context)?;
            }
        }
        Ok(())
    }

    /// Adds the settings of a file.
    fn add(&mut self, table: &Table, file: Utf8PathBuf, dir: &Utf8Path) {
        fn keep<T>(slot: &mut Option<T>, value: Option<T>) {
            *slot = slot.take().or(value);
        }
        let setting = |value| Setting {
            file: file.clone(),
            value,
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let in_table = |name: &str| table.get(name).and_then(Value::as_table);
        let flags = |table: &Table| {
            let flags = table.get("rustflags").map(words).unwrap_or_default();
            flags.into_iter().map(setting).collect::<Vec<_>>()
        };

        if let Some(build) = in_table("build") {
            let of = |key: &str| text(build.get(key)).map(setting);
            keep(&mut self.rustc_wrapper, of("rustc-wrapper"));
            keep(
                &mut self.rustc_workspace_wrapper,
                of("rustc-workspace-wrapper"),
            );
            keep(&mut self.target_dir, of("target-dir"));
            keep(&mut self.build_dir, of("build-dir"));
            let target = build.get("target").map(words);
            let target = target.filter(|target| !target.is_empty());
            let target = target.map(|value| Setting {
                file: file.clone(),
                value,
            });
            keep(&mut self.target, target);
            self.build_flags.extend(flags(build));
        }
        for (target, value) in in_table("target").into_iter().flatten() {
            let Some(value) = value.as_table() else {
                continue;
            };
            for (libc, of) in [(Libc::Gnu, &mut self.gnu), (Libc::Musl, &mut self.musl)] {
                if applies(target, libc) {
                    of.linkers.extend(text(value.get("linker")).map(setting));
                    of.flags.extend(flags(value));
                }
            }
        }
        for (name, value) in in_table("env").into_iter().flatten() {
            let value = text(Some(value)).or_else(|| text(value.get("value")));
            let value = setting(value.unwrap_or_default());
            self.env.entry(name.clone()).or_insert(value);
        }
        for (_, source) in in_table("source").into_iter().flatten() {
            let folder = source.get("directory");
            let folder = folder.or_else(|| source.get("local-registry"));
            self.registries.extend(text(source.get("registry")));
            self.vendored
                .extend(text(folder).map(|folder| below(dir, folder)));
        }
        for (_, registry) in in_table("registries").into_iter().flatten() {
            self.registries.extend(text(registry.get("index")));
        }
        let net = |key: &str| in_table("net")?.get(key);
        self.knows_hosts |= net("ssh").is_some_and(|ssh| ssh.get("known-hosts").is_some());
        let cli = net("git-fetch-with-cli").and_then(Value::as_bool);
        let cli = cli.map(|value| Setting {
            file: file.clone(),
            value,
        });
        keep(&mut self.git_fetch_with_cli, cli);
        self.files.push(file);
    }
}

/// The paths in `include`: one, or a list; each a string, or a table with `path`.
fn includes(table: &Table) -> Vec<String> {
    let path = |value: &Value| {
        let text = value.as_str().or_else(|| value.get("path")?.as_str());
        text.map(str::to_owned)
    };
    match table.get("include") {
        Some(Value::Array(list)) => list.iter().filter_map(path).collect(),
        Some(one) => path(one).into_iter().collect(),
        None => Vec::new(),
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
pub(super) fn applies(target: &str, libc: Libc) -> bool {
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

    fn values(settings: &[Setting<String>]) -> Vec<&str> {
        settings.iter().map(|s| s.value.as_str()).collect()
    }

    #[test]
    fn only_linux_flags_count() {
        let config = config(
            "[target.x86_64-pc-windows-gnu]\nlinker = 'mingw'\n\
             [target.'cfg(unix)']\nrustflags = '-C link-arg=-fuse-ld=lld'\n\
             [target.x86_64-unknown-linux-gnu]\nlinker = 'clang'",
        );
        let flags = ["-C", "link-arg=-fuse-ld=lld"];
        assert_eq!(values(config.flags(Libc::Gnu)), flags);
        assert_eq!(values(config.linkers(Libc::Gnu)), ["clang"]);
        assert_eq!(values(config.flags(Libc::Musl)), flags);
        assert!(config.linkers(Libc::Musl).is_empty());
    }

    #[test]
    fn flags_of_the_target_replace_those_of_the_build() {
        let build = "[build]\nrustflags = ['-Ctarget-cpu=native']\n";
        assert_eq!(
            values(config(build).flags(Libc::Gnu)),
            ["-Ctarget-cpu=native"]
        );
        let target =
            "[target.'cfg(linux)']\nrustflags = '-Cx'\n[target.'cfg(unix)']\nrustflags = '-Cy'";
        let both = config(&format!("{build}{target}"));
        assert_eq!(values(both.flags(Libc::Gnu)), ["-Cy"]);
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

    #[test]
    fn included_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = Utf8Path::from_path(folder.path()).expect("UTF-8");
        fs_err::create_dir_all(dir.join(".cargo")).expect("it is empty");
        let file = |name: &str, text: &str| fs_err::write(dir.join(".cargo").join(name), text);
        let text =
            "include = ['more.toml', { path = 'none.toml', optional = true }]\n[env]\nA = 'near'";
        file("config.toml", text).expect("written");
        file("more.toml", "[env]\nA = 'far'\nB = { value = 'b' }").expect("written");
        let config = read(dir, dir).expect("it can be read");
        assert_eq!(config.files, [".cargo/config.toml", ".cargo/more.toml"]);
        assert_eq!(config.env["A"].value, "near");
        assert_eq!(config.env["B"].value, "b");
    }
}
