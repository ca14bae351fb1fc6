//! The programs that cargo's configuration names: linkers, by a key of their own or by the compiler's flags, and
//! what fetches repositories.

use camino::Utf8PathBuf;

use crate::facts::{Facts, Libc, Setting};

/// Each with the file that names it and the setting.
pub(super) fn of(facts: &Facts, libc: Libc) -> Vec<(Utf8PathBuf, String, String)> {
    let config = &facts.cargo_config;
    let mut tools = Vec::new();
    let mut add = |setting: &Setting<String>, program: &str| {
        let shown = format!("`{}`", setting.value);
        tools.push((setting.file.clone(), shown, program.to_owned()));
    };
    for linker in config.linkers(libc) {
        add(linker, name(&linker.value));
    }
    for flag in config.flags(libc) {
        if let Some(program) = linker(&flag.value) {
            add(flag, program);
        }
    }
    if let Some(on) = config.git_fetch_with_cli.as_ref().filter(|on| on.value) {
        // Git leaves ssh to another program.
        let ssh = facts.over_ssh().next().map(|_| "ssh");
        tools.extend(std::iter::once("git").chain(ssh).map(|program| {
            let setting = "`git-fetch-with-cli`".to_owned();
            (on.file.clone(), setting, program.to_owned())
        }));
    }
    tools
}

/// The linker that a flag of the compiler asks for. Source: rustc's book, codegen options; GCC's manual, link
/// options.
fn linker(flag: &str) -> Option<&str> {
    let option = flag.strip_prefix("-C").unwrap_or(flag).trim_start();
    if let Some(linker) = option.strip_prefix("linker=") {
        return Some(name(linker));
    }
    let arguments = ["link-arg=", "link-args="];
    let arguments = arguments.iter().find_map(|key| option.strip_prefix(key))?;
    arguments.split([' ', ',']).find_map(|argument| {
        let keys = ["-fuse-ld=", "--ld-path=", "-B"];
        let value = keys.iter().find_map(|key| argument.strip_prefix(key))?;
        Some(name(value.trim_end_matches('/')))
    })
}

/// The name at the end of a path.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_name_linkers_in_many_ways() {
        assert_eq!(linker("-Clink-arg=-fuse-ld=mold"), Some("mold"));
        assert_eq!(linker("link-arg=-fuse-ld=/usr/bin/mold"), Some("mold"));
        assert_eq!(linker("-C linker=/usr/bin/clang"), Some("clang"));
        assert_eq!(
            linker("-Clink-args=-Wl,-O1 --ld-path=ld.lld"),
            Some("ld.lld")
        );
        assert_eq!(linker("link-arg=-B/usr/libexec/mold/"), Some("mold"));
        assert_eq!(linker("-Clinker-flavor=gnu-lld-cc"), None);
        assert_eq!(linker("-Clink-arg=-Wl,-z,now"), None);
    }
}
