//! The file system of an image, from the archive that the engine exports: names and facts, no contents but the
//! few that matter. Nothing is written to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use anyhow::{Context, Result};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use tar::{Archive, EntryType};

use super::elf;

/// All files, by their path without the first slash.
#[derive(Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<Utf8PathBuf, Entry>,
    /// Bytes of all files together.
    pub(super) size: u64,
    /// The contents of what tells the loader where libraries are.
    loader: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Folder,
    File(File),
    /// A symbolic link, and where it leads.
    Link(Utf8PathBuf),
    /// A device or the like.
    Other,
}

/// A regular file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) size: u64,
    pub(super) content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    Elf(Box<elf::Facts>),
    /// A script, and the program that runs it.
    Script(String),
    Certificates,
    PrivateKey,
    #[default]
    Else,
}

/// Larger files are not searched for certificates and keys.
const SEARCHED: u64 = 4 << 20;

/// More links than this, and they go in a circle.
const LINKS: usize = 40;

impl Tree {
    /// Reads an archive.
    pub(super) fn read(archive: &mut dyn Read) -> Result<Self> {
        let mut tree = Self::default();
        let mut hard = Vec::new();
        for entry in Archive::new(archive).entries()? {
            let mut entry = entry.context("failed to read the exported image")?;
            let Ok(path) = Utf8PathBuf::try_from(entry.path()?.into_owned()) else {
                continue;
            };
            let path = clean(&path);
            let link = entry
                .link_name()?
                .and_then(|to| Utf8PathBuf::try_from(to.into_owned()).ok());
            let header = entry.header();
            let kind = header.entry_type();
            let read = match kind {
                EntryType::Directory => Entry::Folder,
                EntryType::Symlink => Entry::Link(link.unwrap_or_default()),
                EntryType::Link => {
                    hard.push((path, clean(&link.unwrap_or_default())));
                    continue;
                }
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    let mut file = File {
                        mode: header.mode()?,
                        owner: (header.uid().unwrap_or(0), header.gid().unwrap_or(0)),
                        size: entry.size(),
                        content: Content::Else,
                    };
                    tree.size += file.size;
                    let bytes = beginning(&mut entry, file.size)?;
                    file.content = content(&bytes);
                    if tells_the_loader(&path) {
                        tree.loader.insert(path.clone(), bytes);
                    }
                    Entry::File(file)
                }
                _ => Entry::Other,
            };
            tree.entries.insert(path, read);
        }
        for (path, to) in hard {
            if let Some(file) = tree.entries.get(&to).cloned() {
                tree.entries.insert(path, file);
            }
        }
        Ok(tree)
    }

    /// The path without links, and what is there.
    pub(super) fn find(&self, path: &Utf8Path) -> Option<(Utf8PathBuf, &Entry)> {
        let mut left: Vec<String> = path.iter().rev().map(str::to_owned).collect();
        let mut at = Utf8PathBuf::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match part.as_str() {
                "/" => at = Utf8PathBuf::new(),
                "." => {}
                ".." => {
                    at.pop();
                }
                part => {
                    at.push(part);
                    if let Some(Entry::Link(to)) = self.entries.get(&at) {
                        links += 1;
                        if links > LINKS {
                            return None;
                        }
                        at.pop();
                        left.extend(to.iter().rev().map(str::to_owned));
                    }
                }
            }
        }
        let entry = self.entries.get(&at)?;
        Some((at, entry))
    }

    /// The file at a path, by way of links.
    pub(super) fn file(&self, path: &Utf8Path) -> Option<&File> {
        match self.find(path)? {
            (_, Entry::File(file)) => Some(file),
            _ => None,
        }
    }

    /// What ELF says of the file at a path.
    pub(super) fn elf(&self, path: &Utf8Path) -> Option<&elf::Facts> {
        match &self.file(path)?.content {
            Content::Elf(facts) => Some(facts),
            _ => None,
        }
    }

    /// All that is there, by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Utf8Path, &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_path(), entry))
    }

    /// The libraries that glibc's cache names: the only ones outside of its own folders that it finds.
    pub(super) fn cached_libraries(&self) -> BTreeSet<&Utf8Path> {
        let cache = self.loader.get(Utf8Path::new("etc/ld.so.cache"));
        let strings = cache
            .into_iter()
            .flat_map(|cache| cache.split(|byte| *byte == 0));
        // The header runs into the first one.
        let paths = strings.filter_map(|text| {
            let start = text.iter().position(|byte| *byte == b'/')?;
            std::str::from_utf8(&text[start..]).ok()
        });
        paths.map(Utf8Path::new).collect()
    }

    /// The folders that musl's configuration names.
    pub(super) fn musl_folders(&self) -> Option<Vec<String>> {
        let mut files = self.loader.iter();
        let (_, text) = files.find(|(path, _)| path.extension() == Some("path"))?;
        let text = String::from_utf8_lossy(text);
        let folders = text.split(['\n', ':']).filter(|folder| !folder.is_empty());
        Some(folders.map(str::to_owned).collect())
    }
}

/// The path without a slash or dot before it, as archives have them or not.
fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let parts = path.components();
    let named = parts.filter(|part| matches!(part, Utf8Component::Normal(_)));
    named.collect()
}

fn tells_the_loader(path: &Utf8Path) -> bool {
    path == "etc/ld.so.cache"
        || (path.starts_with("etc")
            && path.as_str().contains("/ld-musl-")
            && path.extension() == Some("path"))
}

/// The whole of an ELF file or a small one, and of others the first bytes.
fn beginning(file: &mut impl Read, size: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.by_ref().take(4).read_to_end(&mut bytes)?;
    if bytes == b"\x7fELF" || size <= SEARCHED {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn content(bytes: &[u8]) -> Content {
    if bytes.starts_with(b"\x7fELF") {
        return elf::Facts::read(bytes)
            .map_or(Content::Else, |facts| Content::Elf(Box::new(facts)));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Content::Else;
    };
    if let Some(line) = text.strip_prefix("#!").and_then(|text| text.lines().next()) {
        return Content::Script(
            line.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    if text.lines().any(is_private_key) {
        Content::PrivateKey
    } else if text.contains("-----BEGIN CERTIFICATE-----") {
        Content::Certificates
    } else {
        Content::Else
    }
}

fn is_private_key(line: &str) -> bool {
    line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A tree of these files and links (`path -> target`).
    pub(in crate::verify) fn tree(files: &[(&str, Content)], links: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, content) in files {
            let file = File {
                mode: 0o755,
                content: content.clone(),
                ..File::default()
            };
            tree.entries.insert((*path).into(), Entry::File(file));
        }
        for (path, to) in links {
            tree.entries
                .insert((*path).into(), Entry::Link((*to).into()));
        }
        tree
    }

    #[test]
    fn links_lead_to_files() {
        let tree = tree(
            &[("usr/lib/libz.so.1.3", Content::Else)],
            &[
                ("lib", "usr/lib"),
                ("usr/lib/libz.so.1", "libz.so.1.3"),
                ("a", "/a"),
            ],
        );
        assert!(tree.file("/lib/libz.so.1".into()).is_some());
        assert!(tree.file("/lib/../lib/./libz.so.1".into()).is_some());
        assert!(tree.file("/a".into()).is_none());
        assert!(tree.file("/lib".into()).is_none());
    }

    #[test]
    fn an_archive_is_read() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |path: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o755);
            builder
                .append_data(&mut header, path, bytes)
                .expect("it fits");
        };
        add("usr/bin/app", b"#!/bin/sh -e\n");
        add("etc/ssl/key.pem", b"-----BEGIN RSA PRIVATE KEY-----\nx\n");
        add("etc/ssl/certs.pem", b"-----BEGIN CERTIFICATE-----\nx\n");
        add(
            "etc/ld.so.cache",
            b"header\0libz.so.1\0/opt/lib/libz.so.1\0",
        );
        let bytes = builder.into_inner().expect("it is complete");
        let tree = Tree::read(&mut &bytes[..]).expect("an archive");
        let content = |path: &str| &tree.file(path.into()).expect("a file").content;
        assert_eq!(content("/usr/bin/app"), &Content::Script("/bin/sh".into()));
        assert_eq!(content("/etc/ssl/key.pem"), &Content::PrivateKey);
        assert_eq!(content("/etc/ssl/certs.pem"), &Content::Certificates);
        let cached: Vec<_> = tree.cached_libraries().into_iter().collect();
        assert_eq!(cached, [Utf8Path::new("/opt/lib/libz.so.1")]);
    }
}
