//! Which package a library belongs to, asked of the builder, which has it: the program was linked with it there.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result};
use askama::Template;

use super::engine::{Engine, Source};

/// The Dockerfile with two more stages.
#[derive(Template)]
#[template(path = "owner", escape = "none")]
struct Owner<'a> {
    dockerfile: &'a str,
    builder: &'a str,
    libraries: Vec<String>,
}

/// The stage whose file system is the answer.
const STAGE: &str = "cargo-dockerize-owners";

/// The packages of libraries; those that no package has, or that the builder does not have, are left out.
pub(super) fn owners(
    engine: &Engine,
    source: &Source,
    dockerfile: &str,
    builder: &str,
    libraries: &[String],
) -> Result<BTreeMap<String, String>> {
    let quoted = libraries
        .iter()
        .map(|name| shlex::try_quote(name).map(std::borrow::Cow::into_owned));
    let owner = Owner {
        dockerfile,
        builder,
        libraries: quoted.collect::<Result<_, _>>()?,
    };
    let text = engine.build_files(source, &owner.render()?, STAGE, |archive| {
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            if entry.path()?.ends_with("owners") {
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                return Ok(text);
            }
        }
        Ok(String::new())
    });
    Ok(parse(&text.context(
        "the builder does not tell whose the libraries are",
    )?))
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let owner = |line: &str| {
        let (library, says) = line.split_once(' ')?;
        Some((library.to_owned(), package(says)?))
    };
    text.lines().filter_map(owner).collect()
}

/// `libpq5:amd64: /usr/lib/…` on Debian, `/usr/lib/libpq.so.5 is owned by libpq-17.5-r0` on Alpine.
fn package(says: &str) -> Option<String> {
    let name = match says.split_once(" is owned by ") {
        Some((_, package)) => package.rsplitn(3, '-').nth(2)?,
        None => says.split([':', ',']).next()?,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_package_managers() {
        let text = "\
libpq.so.5 libpq5:amd64: /usr/lib/x86_64-linux-gnu/libpq.so.5
libz.so.1 /usr/lib/libz.so.1 is owned by zlib-ng-compat-1.3.1-r2
libown.so.1 \n";
        let owners = parse(text);
        assert_eq!(owners["libpq.so.5"], "libpq5");
        assert_eq!(owners["libz.so.1"], "zlib-ng-compat");
        assert!(!owners.contains_key("libown.so.1"));
    }
}
