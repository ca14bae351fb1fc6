//! Collects the facts, in the order in which they depend on one another.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use guppy::PackageId;
use guppy::graph::{BuildTargetId, PackageGraph, PackageMetadata};

use super::context::{absent, add_sources, assets, context, front_ends, left_out, read_sources};
use super::git::{self, Git};
use super::{
    About, Bin, CargoFlags, Facts, Graph, Lock, LockState, Membership, PAGE, Package, Setting,
    build_script, cargo, cargo_config, committed, lock, manifests, own_ignore, relative, roots,
    target_folders, text_of, toolchain,
};
use crate::config::{self, Config, PackageConfig, Table};

/// Which project to look at, and how to ask cargo about it.
#[derive(Clone, Debug, Default)]
pub struct Where {
    /// `--manifest-path`
    pub manifest: Option<Utf8PathBuf>,
    /// Options for cargo.
    pub cargo: CargoFlags,
    /// `--output`: the Dockerfile, where it is not to be the usual one.
    pub dockerfile: Option<Utf8PathBuf>,
}

/// Runs cargo and reads the project.
///
/// # Errors
/// There is no project, cargo cannot answer, or a file of the project cannot be read: one sentence that names
/// the file or gives cargo's own reason.
pub fn gather(place: &Where) -> Result<Facts> {
    let manifest = cargo::workspace_manifest(place.manifest.as_deref())?;
    let workspace = manifest.parent().context("the manifest has no folder")?;
    let resolver = resolver(&read_manifest(&manifest)?);
    let version = std::thread::spawn(cargo::version);
    let here = std::thread::spawn({
        let manifest = place.manifest.clone();
        move || cargo::manifest(manifest.as_deref())
    });

    let answer = ask(&manifest, &resolver, place.cargo)?;
    let lock = std::thread::spawn({
        let workspace = workspace.to_owned();
        move || lock::read(&workspace, answer.stale_lock)
    });
    let graph = Graph::new(&answer.metadata, &resolver)?;

    let git = Git::default();
    let mut sources = read_sources(graph.packages(), workspace, &git);
    let context = context(graph.packages(), &sources, workspace);
    let below = below_dependencies(graph.packages());
    let mut packages: Vec<Package> = Vec::new();
    let mut links = BTreeSet::new();
    for package in graph
        .packages()
        .packages()
        .filter(|package| package.source().is_local())
    {
        let below = below.contains(package.id());
        let mut package_facts = read_package(package, graph.packages(), &context, below)?;
        let sources = sources.remove(package.id()).unwrap_or_default();
        let of_package = sources.links.iter().cloned();
        links.extend(of_package.map(|link| link.below(&context)));
        add_sources(&mut package_facts, sources, &context, &git);
        packages.push(package_facts);
    }
    packages.sort_by(|a, b| (&a.dir, &a.name).cmp(&(&b.dir, &b.name)));

    let dockerfile = place
        .dockerfile
        .clone()
        .unwrap_or_else(|| workspace.join("Dockerfile"));
    let root = relative(workspace, &context);
    let lock = lock.join().expect("the thread does not panic")?;
    let cargo_config = cargo_config::read(workspace, &context)?;
    let config = read_config(graph.packages(), &manifest)?;
    let entries = entries(workspace)?;
    let folders = packages.iter().map(|p| (p.dir.as_path(), &p.entries));
    let whole = cargo_config.vendored.iter().cloned();
    let whole = assets(&root, &config, &packages).chain(whole);
    Ok(Facts {
        own_ignore: own_ignore::read(&context, &dockerfile, &packages, whole),
        left_out: left_out(
            &context,
            folders.chain([(root.as_path(), &entries)]),
            &packages,
            &git,
        ),
        front_ends: front_ends(&context, &packages),
        absent: absent(&context, assets(&root, &config, &packages)),
        trimmable: manifests::trimmable(&packages, &context, &root, &lock, &cargo_config),
        root,
        packages,
        scripts: build_script::foreign(graph.packages()),
        cargo: version.join().expect("the thread does not panic")?,
        toolchain: toolchain::find(workspace, &context)?,
        sources: graph_sources(graph.packages(), &lock),
        lock,
        cargo_config,
        here: here
            .join()
            .expect("the thread does not panic")
            .ok()
            .filter(|here| *here != manifest)
            .and_then(|here| name_of(graph.packages(), &here)),
        has_history: context.join(".git").is_dir(),
        links: links.into_iter().collect(),
        missing_submodules: git::missing_submodules(&context),
        committed: committed::read(&dockerfile),
        linked_dockerfile: committed::behind_links(&dockerfile, &context),
        config,
        metadata: graph.packages().workspace().metadata_table().clone(),
        entries,
        graph,
        context,
    })
}

/// The sources of the lock file, or of the packages of the graph where there is none to go by.
fn graph_sources(graph: &PackageGraph, lock: &Lock) -> BTreeSet<String> {
    match lock {
        Lock::Present(lock) if lock.state == LockState::Current => lock.sources.clone(),
        _ => {
            let sources = graph
                .packages()
                .filter_map(|package| package.source().external_source());
            sources.map(str::to_owned).collect()
        }
    }
}

/// The member with this manifest.
fn name_of(graph: &PackageGraph, manifest: &Utf8Path) -> Option<String> {
    let mut members = graph.workspace().iter();
    let member = members.find(|member| member.manifest_path() == manifest)?;
    Some(member.name().to_owned())
}

/// What cargo says of a workspace.
struct Answer {
    /// The JSON of `cargo metadata`.
    metadata: String,
    /// Whether the lock file lacks what the manifests ask for.
    stale_lock: bool,
}

/// Asks for the metadata. The lock file stays as it is, also where it is out of date, and a project without one
/// gets none: cargo, which has to write it to answer, then writes to another place.
fn ask(manifest: &Utf8Path, resolver: &str, flags: CargoFlags) -> Result<Answer> {
    let path = manifest.with_file_name("Cargo.lock");
    let had_lock = path.exists();
    let ask = |flags, lock| cargo::metadata(manifest, resolver, flags, lock);
    if had_lock || flags.locked || flags.frozen {
        let locked = CargoFlags {
            locked: true,
            ..flags
        };
        let may_change = !flags.locked && !flags.frozen;
        match ask(locked, None) {
            Err(error) if may_change && error.is_stale_lock() => {}
            answer => {
                return Ok(Answer {
                    metadata: answer?,
                    stale_lock: false,
                });
            }
        }
    }
    let elsewhere = tempfile::tempdir().context("failed to make a temporary folder")?;
    let lock = elsewhere.path().join("Cargo.lock");
    if had_lock {
        fs_err::copy(&path, &lock)?;
    }
    let lock = Utf8Path::from_path(&lock).context("the temporary folder is not UTF-8")?;
    let metadata = ask(flags, Some(lock)).or_else(|_| {
        // A cargo that knows no other place, or has a better reason.
        let before = had_lock.then(|| fs_err::read(&path)).transpose()?;
        let answer = ask(flags, None);
        match before {
            Some(before) => fs_err::write(&path, before)?,
            None if path.exists() => fs_err::remove_file(&path)?,
            None => {}
        }
        Ok::<_, anyhow::Error>(answer?)
    })?;
    Ok(Answer {
        metadata,
        stale_lock: had_lock,
    })
}

/// The names in a folder.
fn entries(dir: &Utf8Path) -> Result<BTreeSet<String>> {
    let names = dir
        .read_dir_utf8()
        .with_context(|| format!("failed to read `{dir}`"))?;
    names
        .map(|entry| Ok(entry?.file_name().to_owned()))
        .collect()
}

fn read_manifest(path: &Utf8Path) -> Result<toml::Table> {
    toml::from_str(&fs_err::read_to_string(path)?)
        .with_context(|| format!("failed to read `{path}`"))
}

/// The resolver of the workspace, which `cargo metadata` does not tell.
fn resolver(manifest: &toml::Table) -> String {
    let key = |table: &str, key: &str| manifest.get(table)?.get(key)?.as_str().map(str::to_owned);
    let edition = || {
        let inherited = || {
            Some(
                manifest
                    .get("workspace")?
                    .get("package")?
                    .get("edition")?
                    .as_str()?
                    .to_owned(),
            )
        };
        let edition = key("package", "edition").or_else(|| {
            manifest.get("package")?.get("edition")?;
            inherited()
        });
        match edition.as_deref() {
            Some("2021") => "2",
            Some("2024") => "3",
            _ => "1",
        }
    };
    key("workspace", "resolver")
        .or_else(|| key("package", "resolver"))
        .unwrap_or_else(|| edition().to_owned())
}

/// Whether the configuration of the workspace stands in its only package, at the root.
fn is_single_package(graph: &PackageGraph) -> bool {
    graph.workspace().member_count() == 1
        && graph.workspace().member_by_path("").is_ok()
        && graph
            .workspace()
            .metadata_table()
            .get("dockerize")
            .is_none()
}

fn read_config(graph: &PackageGraph, manifest: &Utf8Path) -> Result<Config> {
    let text = || fs_err::read_to_string(manifest).ok();
    Ok(match graph.workspace().iter().next() {
        Some(package) if is_single_package(graph) => {
            config::read(package.metadata_table(), Table::Package, manifest, text)?
        }
        _ => config::read(
            graph.workspace().metadata_table(),
            Table::Workspace,
            manifest,
            text,
        )?,
    })
}

/// Local packages that something from outside of the workspace is compiled against, and all that these
/// depend on in turn.
fn below_dependencies(graph: &PackageGraph) -> BTreeSet<&PackageId> {
    let mut below = BTreeSet::new();
    let mut queue: Vec<PackageMetadata<'_>> =
        graph.packages().filter(|p| !p.in_workspace()).collect();
    while let Some(package) = queue.pop() {
        if package.source().is_local() && !below.insert(package.id()) {
            continue;
        }
        let links = package.direct_links().filter(|link| !link.dev_only());
        queue.extend(
            links
                .map(|link| link.to())
                .filter(|to| to.source().is_local()),
        );
    }
    below
}

fn read_package(
    package: PackageMetadata<'_>,
    graph: &PackageGraph,
    context: &Utf8Path,
    below_dependencies: bool,
) -> Result<Package> {
    let dir = package
        .manifest_path()
        .parent()
        .context("a manifest has a folder")?;
    let membership = if !package.in_workspace() {
        Membership::PathDependency
    } else if graph
        .workspace()
        .default_member_ids()
        .any(|id| id == package.id())
    {
        Membership::Default
    } else {
        Membership::Member
    };
    let mut bins: Vec<Bin> = package
        .build_targets()
        .filter(|target| matches!(target.id(), BuildTargetId::Binary(_)))
        .map(|target| Bin {
            name: target.name().to_owned(),
            required_features: target.required_features().to_vec(),
            elsewhere: roots::elsewhere(target.path()).map(|value| Setting {
                file: relative(target.path(), context),
                value,
            }),
        })
        .collect();
    bins.sort_by(|a, b| a.name.cmp(&b.name));
    let config = if is_single_package(graph) {
        PackageConfig::default()
    } else {
        let manifest = package.manifest_path();
        let text = || fs_err::read_to_string(manifest).ok();
        config::read(package.metadata_table(), Table::Package, manifest, text)?
    };
    let (mut unusual_roots, mut spare_roots) = (BTreeSet::new(), BTreeSet::new());
    for target in package.build_targets() {
        let root = relative(target.path(), context);
        if manifests::is_spare(target.id()) {
            spare_roots.insert(root);
        } else if !manifests::is_usual_root(&relative(target.path(), dir)) {
            unusual_roots.insert(root);
        }
    }
    let declared = read_manifest(package.manifest_path())?;
    let is_declared = |kind: &str, name: &str| {
        let targets = declared.get(kind).and_then(toml::Value::as_array);
        targets
            .into_iter()
            .flatten()
            .any(|target| target.get("name").and_then(toml::Value::as_str) == Some(name))
    };
    // Cargo looks for those of the other kinds, and does without what is not there.
    let required = package.build_targets().filter(|target| match target.id() {
        BuildTargetId::Test(name) => is_declared("test", name),
        BuildTargetId::Benchmark(name) => is_declared("bench", name),
        BuildTargetId::Example(name) => is_declared("example", name),
        _ => true,
    });
    let roots = required
        .map(|target| relative(target.path(), context))
        .collect();
    Ok(Package {
        name: package.name().to_owned(),
        version: package.version().clone(),
        dir: relative(dir, context),
        membership,
        default_run: package.default_run().map(str::to_owned),
        bins,
        roots,
        unusual_roots: unusual_roots.into_iter().collect(),
        spare_roots: spare_roots.into_iter().collect(),
        target_folders: target_folders::find(package, dir)
            .iter()
            .map(|dir| relative(dir, context))
            .collect(),
        below_dependencies,
        entries: entries(dir)?,
        page: text_of(&dir.join(PAGE)),
        about: About {
            description: package.description().map(str::to_owned),
            license: package.license().map(str::to_owned),
            repository: package.repository().map(str::to_owned),
            homepage: package.homepage().map(str::to_owned),
            documentation: package.documentation().map(str::to_owned),
            authors: package.authors().to_vec(),
        },
        build_script: build_script::of_package(&package, context),
        build_library: build_script::library(&package, context),
        metadata: package.metadata_table().clone(),
        mentions: Vec::new(),
        opened: Vec::new(),
        starts: BTreeMap::new(),
        modules: Vec::new(),
        macros: BTreeSet::new(),
        loopback: None,
        config,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolver_follows_the_edition() {
        let resolver = |text: &str| resolver(&toml::from_str(text).expect("TOML"));
        assert_eq!(resolver("[package]\nedition = '2018'"), "1");
        assert_eq!(resolver("[package]\nedition = '2021'"), "2");
        assert_eq!(resolver("[package]\nedition = '2021'\nresolver = '1'"), "1");
        assert_eq!(
            resolver("[package]\nedition.workspace = true\n[workspace.package]\nedition = '2024'"),
            "3"
        );
        assert_eq!(resolver("[workspace]\nmembers = ['a']"), "1");
        assert_eq!(resolver("[workspace]\nresolver = '2'"), "2");
    }
}
