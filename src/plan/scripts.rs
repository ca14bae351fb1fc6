//! What build scripts call for: programs that they start, libraries that they look for. They are read as text:
//! what stands there plainly is found, what they compute is not.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Row};

/// What a build script calls for.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Rows of what it starts by name, as far as the catalog knows it.
    pub started: Vec<Row>,
    /// Rows of the libraries that it looks for, and of what it compiles.
    pub rows: Vec<Row>,
    /// Names of programs that it does not know.
    pub programs: Vec<String>,
    /// Names of libraries that it does not know.
    pub libraries: Vec<String>,
}

/// Functions with such names start a program, or look for it.
const STARTS: [&str; 6] = ["cmd", "command", "exec", "run", "spawn", "which"];

/// Reads the code of a build script, and the libraries that its manifest names.
pub(super) fn calls(code: &str, named: &[String], catalog: &Catalog) -> Calls {
    let mut calls = Calls::default();
    let mut seen = BTreeSet::new();
    let (programs, unknown) = started(code, catalog);
    for (name, program) in &catalog.programs {
        if program.code.iter().any(|part| code.contains(part)) {
            calls.rows.push(program.row(name));
        } else if programs.contains(name.as_str()) {
            calls.started.push(program.row(name));
        }
    }
    calls.programs = unknown;

    for name in probed(code).into_iter().chain(named.iter().cloned()) {
        match catalog.library(&name) {
            Some((key, library)) if seen.insert(key) => {
                calls
                    .rows
                    .push(library.row(&format!("looks for the library {name}")));
            }
            Some(_) => {}
            None => calls.libraries.push(name),
        }
    }
    for name in linked(code) {
        if let Some((key, library)) = catalog.library(&name)
            && seen.insert(key)
        {
            calls
                .rows
                .push(library.row(&format!("links the library {name}")));
        }
    }
    calls
}

/// The programs that are started: those that the catalog knows, and the others.
fn started<'c>(code: &str, catalog: &'c Catalog) -> (BTreeSet<&'c str>, Vec<String>) {
    let mut known = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    let mut add = |text: &str, direct: bool| {
        // A shell is given a line of words, another program perhaps a path.
        for (i, word) in text.split([' ', ';', '&', '|']).enumerate() {
            let name = word.rsplit('/').next().unwrap_or_default();
            match catalog.program(name) {
                Some((key, _)) => drop(known.insert(key)),
                None if direct && i == 0 && is_name(name) => drop(unknown.insert(name.to_owned())),
                None => {}
            }
        }
    };
    for (at, _) in code.match_indices('(') {
        let function = code[..at].trim_end_matches('!');
        let function = function
            .rsplit(|c: char| !is_word(c) && c != ':')
            .next()
            .unwrap_or_default();
        let starts = function.ends_with("Command::new");
        let name = function.to_ascii_lowercase();
        if !starts
            && !STARTS
                .iter()
                .any(|start| name.rsplit(':').next().is_some_and(|n| n.contains(start)))
        {
            continue;
        }
        let rest = &code[at + 1..];
        match literal(rest.trim_start_matches(['&', '['])) {
            Some(program) if is_shell(program, catalog) => {
                let line = rest.split(';').next().unwrap_or_default();
                literals(line).for_each(|text| add(text, false));
            }
            Some(program) => add(program, starts),
            None if starts => {
                let variable = rest.trim_start_matches('&').split(|c| !is_word(c)).next();
                let values = variable.into_iter().flat_map(|name| values(code, name));
                values.for_each(|text| add(text, false));
            }
            None => {}
        }
    }
    (known, unknown.into_iter().collect())
}

/// Whether the program takes a line of other programs.
fn is_shell(program: &str, catalog: &Catalog) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    catalog
        .program(name)
        .is_some_and(|(_, program)| program.shell)
}

/// The literals in the statements that define a variable or constant.
fn values<'a>(code: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let definitions = ["let ", "let mut ", "const ", "static "];
    let starts = definitions.into_iter().flat_map(move |word| {
        let definition = format!("{word}{name}");
        let found = code
            .match_indices(&definition)
            .map(|(at, found)| at + found.len());
        found.collect::<Vec<_>>()
    });
    starts
        .filter(|at| !code[*at..].starts_with(is_word))
        .flat_map(|at| literals(code[at..].split(';').next().unwrap_or_default()))
}

/// The libraries that pkg-config is asked for.
fn probed(code: &str) -> Vec<String> {
    let calls = ["probe_library(", "pkg_config::find_library(", ".probe("];
    let found = calls.iter().flat_map(|call| code.split(call).skip(1));
    found.filter_map(literal).map(str::to_owned).collect()
}

/// The libraries that the linker is told of, but for those that come from the build itself.
fn linked(code: &str) -> Vec<String> {
    let told = code.split("rustc-link-lib=").skip(1);
    let names = told.filter_map(|rest| {
        let value = rest.split(['"', '\\']).next()?;
        match value.split_once('=') {
            None => Some(value),
            Some(("dylib", name)) => Some(name),
            Some(_) => None,
        }
    });
    names.map(str::to_owned).collect()
}

/// The string that a text begins with.
fn literal(text: &str) -> Option<&str> {
    literals(text).next().filter(|_| text.starts_with('"'))
}

/// The strings in a text, as far as they have no quotes in them.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text may be the name of a program.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CATALOG;

    fn programs(code: &str) -> (Vec<&'static str>, Vec<String>) {
        let (known, unknown) = started(code, &CATALOG);
        (known.into_iter().collect(), unknown)
    }

    #[test]
    fn programs_are_found_where_they_are_named() {
        let known = |code| programs(code).0;
        assert_eq!(known("Command::new(\"git\").arg(\"x\");"), ["git"]);
        assert_eq!(
            known("std::process::Command::new(\"/usr/bin/npm\")"),
            ["npm"]
        );
        assert_eq!(known("run_command(\"npm\",&[\"ci\"])"), ["npm"]);
        assert_eq!(known("cmd!(\"npm\",\"ci\")"), ["npm"]);
        assert_eq!(known("run(&[\"git\",\"describe\"])"), ["git"]);
        assert_eq!(known("const NPM:&str=\"npm\";Command::new(NPM)"), ["npm"]);
        assert_eq!(
            known("let npm=if a{\"npm.cmd\"}else{\"npm\"};Command::new(&npm)"),
            ["npm"]
        );
        assert_eq!(
            known("Command::new(\"sh\").arg(\"-c\").arg(\"npm ci && cd x\");"),
            ["npm", "sh"]
        );
        assert_eq!(
            known("out.join(\"git\");println!(\"npm\")"),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn an_unknown_program_is_named() {
        assert_eq!(programs("Command::new(\"frobnicate\")").1, ["frobnicate"]);
        assert!(programs("Command::new(env!(\"CARGO\"))").1.is_empty());
    }

    #[test]
    fn libraries_are_found_where_they_are_named() {
        let code = "pkg_config::probe_library(\"libpq\");\
                    Config::new().atleast_version(\"1\").probe(\"zlib\");";
        assert_eq!(probed(code), ["libpq", "zlib"]);
        let code = "println!(\"cargo:rustc-link-lib=pq\");println!(\"cargo::rustc-link-lib=dylib=z\");\
                    println!(\"cargo:rustc-link-lib=static=own\");";
        assert_eq!(linked(code), ["pq", "z"]);
    }

    #[test]
    fn a_library_by_two_names_counts_once() {
        let code = "probe_library(\"zlib\");println!(\"cargo:rustc-link-lib=z\");";
        assert_eq!(calls(code, &["zlib".into()], &CATALOG).rows.len(), 1);
    }
}
