//! Repositories that are not `cargo new`: the golden cases that show them also build, with the files that are
//! expected of them, and run.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use snapbox::dir::DirRoot;

use crate::{ROOT, docker};

/// A case, the folder of its Dockerfile, its stage, and what the program prints.
const CASES: [(&str, &str, &str, &str); 5] = [
    // A file above the workspace, and a build script that wants one there.
    ("file_above_the_workspace", "services/api", "api", ""),
    // Names that ignore files usually hide.
    ("hidden_name_that_a_macro_reads", "", "app", "a {}\n\n"),
    // A lock file that `--locked` would fail on.
    ("lock_file_out_of_date", "", "app", ""),
    // Somebody's own ignore file.
    ("own_ignore_file_hides_a_source", "", "app", "SELECT 1\n\n"),
    // A path dependency above the workspace.
    (
        "path_dependency_outside_the_workspace",
        "backend",
        "backend",
        "",
    ),
];

/// The images of the cases build, and their programs print what they should.
pub(crate) fn cases_build_and_run() -> Result<()> {
    for (case, folder, stage, expected) in CASES {
        let case_dir = Path::new(ROOT).join("tests/cases").join(case);
        let copy = DirRoot::mutable_temp()?.with_template(&case_dir.join("in"))?;
        let context = copy
            .path()
            .and_then(Utf8Path::from_path)
            .context("no folder")?;
        for file in ["Dockerfile", "Dockerfile.dockerignore", ".dockerignore"] {
            let file = Path::new(folder).join(file);
            let written = case_dir.join("out").join(&file);
            if written.is_file() {
                fs_err::copy(written, context.as_std_path().join(&file))?;
            }
        }
        let dockerfile = context.join(folder).join("Dockerfile");
        let image = docker::build_from(context, &dockerfile, stage).context(case)?;
        let printed = image.run(&["--read-only"], &[], "").context(case)?;
        ensure!(printed == expected, "{case}: printed {printed:?}");
    }
    Ok(())
}
