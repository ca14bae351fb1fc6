//! `docker-bake.hcl`: all images of the Dockerfile in one call of `docker buildx bake`.

use askama::Template;
use camino::Utf8Path;

use crate::path::slashed;
use crate::plan::{Access, Homes, Plan};

/// As a variable of the file has them.
const HOMES: Homes<'static> = Homes {
    user: "${HOME}",
    cargo: "${HOME}/.cargo",
};

#[derive(Template)]
#[template(path = "docker-bake.hcl", escape = "none")]
pub(super) struct Bake<'p> {
    /// A target, and what it is called as an example.
    example: String,
    /// The user's home, where the build needs something from there.
    home: Option<&'static str>,
    /// Lists and strings in the words of HCL, which are those of JSON.
    names: String,
    context: String,
    dockerfile: String,
    platforms: Option<String>,
    access: Vec<(&'static str, String)>,
    images: Vec<Target<'p>>,
}

/// An image.
struct Target<'p> {
    /// Names of targets may hold no dots.
    name: String,
    stage: &'p str,
}

impl<'p> Bake<'p> {
    /// `dockerfile` is the absolute path of the Dockerfile, which the file lies beside.
    pub(super) fn of(plan: &'p Plan, dockerfile: &Utf8Path) -> Self {
        let images: Vec<Target<'_>> = plan
            .images
            .iter()
            .rev()
            .map(|image| Target {
                name: image.stage.replace('.', "-"),
                stage: &image.stage,
            })
            .collect();
        let names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
        let context = &plan.context.dir.value;
        let below = dockerfile.strip_prefix(context).unwrap_or(dockerfile);
        let up = below.parent().map_or(0, |dir| dir.components().count());
        let way = vec![".."; up].join("/");
        let platforms = plan
            .platforms
            .as_ref()
            .map(|platforms| list(&platforms.value));
        let options = |wanted: &str| {
            let all = plan
                .build
                .access
                .iter()
                .map(|access| access.value.option(HOMES));
            let values = all.filter_map(|[name, value]| (name == wanted).then_some(value));
            values.collect::<Vec<_>>()
        };
        let access = [("secret", options("--secret")), ("ssh", options("--ssh"))];
        let access = access.into_iter().filter(|(_, values)| !values.is_empty());
        let needs_home = plan.build.access.iter().any(|access| {
            let access = &access.value;
            *access == Access::Credentials || access.file_of_home().is_some()
        });
        Self {
            example: format!("{:<13}builds one", names[0]),
            home: needs_home.then_some(""),
            names: list(&names),
            context: quoted(if up == 0 { "." } else { &way }),
            dockerfile: quoted(slashed(below).as_str()),
            platforms,
            access: access.map(|(key, values)| (key, list(&values))).collect(),
            images,
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string becomes JSON")
}

fn list<T: AsRef<str>>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value.as_ref())).collect();
    format!("[{}]", values.join(", "))
}
