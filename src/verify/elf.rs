//! What a program or library says of itself in its ELF headers. Pure.

use std::collections::{BTreeMap, BTreeSet};

use goblin::elf::program_header::PT_LOAD;
use goblin::elf::{Elf, header};

/// The facts that decide whether it can be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) machine: u16,
    pub(super) is_64: bool,
    /// The loader. A program without one is static.
    pub(super) interpreter: Option<String>,
    /// Libraries, as they are asked for.
    pub(super) needed: Vec<String>,
    /// Folders to search, for it and what it loads.
    pub(super) rpath: Vec<String>,
    /// Folders to search, for it alone.
    pub(super) runpath: Vec<String>,
    /// Versions of symbols that each library has to have.
    pub(super) wants: BTreeMap<String, BTreeSet<String>>,
    /// Versions of symbols that it has.
    pub(super) has: BTreeSet<String>,
    /// Whether its `main` does nothing.
    pub(super) is_empty: bool,
    /// Whether nothing in it tells that it is more than that.
    pub(super) may_be_empty: bool,
}

/// The platforms that images are built for: the engine's name, ELF's number and word size, and the folders that
/// Debian's loader searches.
const PLATFORMS: [(&str, u16, bool, &str); 8] = [
    ("amd64", header::EM_X86_64, true, "x86_64-linux-gnu"),
    ("arm64", header::EM_AARCH64, true, "aarch64-linux-gnu"),
    ("arm", header::EM_ARM, false, "arm-linux-gnueabihf"),
    ("386", header::EM_386, false, "i386-linux-gnu"),
    ("riscv64", header::EM_RISCV, true, "riscv64-linux-gnu"),
    ("ppc64le", header::EM_PPC64, true, "powerpc64le-linux-gnu"),
    ("s390x", header::EM_S390, true, "s390x-linux-gnu"),
    ("loong64", 258, true, "loongarch64-linux-gnu"),
];

impl Facts {
    /// Reads a file, if it is ELF.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let elf = Elf::parse(bytes).ok()?;
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let folders = |lists: &[&str]| {
            let folders = lists.iter().flat_map(|list| list.split(':'));
            folders
                .filter(|f| !f.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let name = |at: usize| elf.dynstrtab.get_at(at).unwrap_or_default().to_owned();
        let mut wants = BTreeMap::<_, BTreeSet<_>>::new();
        for library in elf.verneed.iter().flatten() {
            let versions = library
                .iter()
                // The loader does without those that are marked as weak.
                .filter(|version| version.vna_flags & goblin::elf::symver::VER_FLG_WEAK == 0)
                .map(|version| name(version.vna_name));
            wants
                .entry(name(library.vn_file))
                .or_default()
                .extend(versions);
        }
        let defined = elf.verdef.iter().flatten();
        let first = defined.filter_map(|version| version.iter().next());
        Some(Self {
            machine: elf.header.e_machine,
            is_64: elf.is_64,
            interpreter: elf.interpreter.map(str::to_owned),
            needed: owned(&elf.libraries),
            rpath: folders(&elf.rpaths),
            runpath: folders(&elf.runpaths),
            wants,
            has: first.map(|version| name(version.vda_name)).collect(),
            is_empty: main_is_empty(&elf, bytes),
            may_be_empty: elf.entry != 0 && elf.syms.is_empty() && !names_sources(bytes),
        })
    }

    /// The engine's name of the platform.
    pub(super) fn architecture(&self) -> &'static str {
        self.platform().map_or("an unknown machine", |p| p.0)
    }

    /// The folder of libraries for the platform.
    pub(super) fn multiarch(&self) -> &'static str {
        self.platform().map_or("", |p| p.3)
    }

    fn platform(&self) -> Option<&'static (&'static str, u16, bool, &'static str)> {
        PLATFORMS
            .iter()
            .find(|(_, machine, is_64, _)| (*machine, *is_64) == (self.machine, self.is_64))
    }

    /// Whether it can be loaded together with the other.
    pub(super) fn fits(&self, other: &Self) -> bool {
        (self.machine, self.is_64) == (other.machine, other.is_64)
    }

    /// Whether nothing is loaded with it.
    pub(super) fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }
}

/// Whether `main` of the crate, where the symbols still tell it, only returns: what cargo makes of
/// `fn main() {}`, and no real program is.
fn main_is_empty(elf: &Elf<'_>, bytes: &[u8]) -> bool {
    const RETURNS: [&[u8]; 3] = [
        &[0xc3],
        &[0xf3, 0x0f, 0x1e, 0xfa, 0xc3],
        &[0xc0, 0x03, 0x5f, 0xd6],
    ];
    let mains = elf.syms.iter().filter(|symbol| {
        let name = elf.strtab.get_at(symbol.st_name).unwrap_or_default();
        symbol.is_function() && is_main(name)
    });
    let code = |symbol: goblin::elf::Sym| {
        let segment = elf.program_headers.iter().find(|segment| {
            segment.p_type == PT_LOAD
                && segment
                    .vm_range()
                    .contains(&usize::try_from(symbol.st_value).unwrap_or(0))
        })?;
        let start = symbol.st_value - segment.p_vaddr + segment.p_offset;
        let start = usize::try_from(start).ok()?;
        bytes.get(start..start + usize::try_from(symbol.st_size).ok()?)
    };
    let mut codes = mains.map(code).peekable();
    codes.peek().is_some() && codes.all(|code| code.is_some_and(|code| RETURNS.contains(&code)))
}

/// Whether a program without symbols names source files that are not the standard library's, as the messages of
/// panics do: all but the smallest real programs.
fn names_sources(bytes: &[u8]) -> bool {
    const STANDARD: [&str; 3] = ["library/", "/rustc/", "/rust/deps/"];
    let part_of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let ends = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, end)| end.starts_with(b".rs") && end[3] != b'-');
    let mut paths = ends.map(|(at, _)| {
        let start = bytes[..at]
            .iter()
            .rposition(|byte| !part_of_path(byte))
            .map_or(0, |before| before + 1);
        String::from_utf8_lossy(&bytes[start.max(at.saturating_sub(200))..at])
    });
    paths.any(|path| path.contains('/') && !STANDARD.iter().any(|standard| path.contains(standard)))
}

/// Whether a symbol is the `main` of a crate: `_ZN3app4main17h…E`, or in the newer mangling `_RNvCs…_3app4main`.
fn is_main(symbol: &str) -> bool {
    let old = || {
        let path = symbol.strip_prefix("_ZN")?;
        let length = path.len() - path.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let name: usize = path[..length].parse().ok()?;
        Some(path.get(length + name..)?.starts_with("4main17h"))
    };
    let new = || {
        let path = symbol.strip_prefix("_RNvCs")?.split_once('_')?.1;
        let length = path.len() - path.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let name: usize = path[..length].parse().ok()?;
        let rest = path.get(length..)?;
        // An underscore parts the length from a name that begins with a digit or an underscore.
        let name = name + usize::from(rest.starts_with('_'));
        Some(rest.get(name..)? == "4main")
    };
    old().or_else(new).unwrap_or(false)
}

/// Versions in the order of their numbers: `GLIBC_2.9` before `GLIBC_2.34`.
pub(super) fn by_number(version: &str) -> Vec<u32> {
    let numbers = version.split(|c: char| !c.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a program is needed, and this is one"
    )]
    fn the_test_itself_is_a_program() {
        let path = std::env::current_exe().expect("it has a path");
        let Some(facts) = Facts::read(&fs_err::read(path).expect("it can be read")) else {
            return; // No ELF on this machine.
        };
        assert!(facts.interpreter.is_some());
        assert!(!facts.is_empty);
        let libc = facts
            .wants
            .keys()
            .any(|library| library.starts_with("libc."));
        assert!(libc || facts.wants.is_empty(), "{:?}", facts.wants);
    }

    #[test]
    fn no_elf_is_nothing() {
        assert_eq!(Facts::read(b"#!/bin/sh\n"), None);
        assert_eq!(Facts::read(b"\x7fELF but cut off"), None);
    }

    #[test]
    fn mains_of_crates() {
        assert!(is_main("_ZN3app4main17h0123456789abcdefE"));
        assert!(is_main("_RNvCsjjdf1K8Nb5A_3app4main"));
        assert!(!is_main("_ZN3app6remain4main17h0123456789abcdefE"));
        assert!(!is_main("main"));
    }

    #[test]
    fn sources_of_the_program() {
        assert!(names_sources(b"\0an index is out of rangesrc/main.rsx"));
        assert!(names_sources(
            b"\0/root/.cargo/registry/src/a-1/src/lib.rs\0"
        ));
        assert!(!names_sources(
            b"\0/rustc/0123/library/std/src/io/mod.rs\0library/core/src/fmt/mod.rs "
        ));
        assert!(!names_sources(
            b"\0/rust/deps/hashbrown-0.15.2/src/raw/mod.rs "
        ));
    }

    #[test]
    fn versions_are_numbers() {
        assert!(by_number("GLIBC_2.9") < by_number("GLIBC_2.34"));
        assert!(by_number("GLIBC_2.2.5") < by_number("GLIBC_2.3"));
    }
}
