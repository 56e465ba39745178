//! The checkout that a command works on: its template, and the binaries of its functions.
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

/// A folder with a `template.yaml`.
#[derive(Clone, Debug)]
pub struct Project {
    pub root: PathBuf,
}

#[derive(Debug, Error)]
pub enum ProjectError {
    #[error("no template.yaml in {cwd} or above it: run this inside of the project")]
    NotFound { cwd: PathBuf },
    #[error("cannot tell where this program or the present folder is")]
    Nowhere(#[source] std::io::Error),
    #[error("cargo could not be run to build the functions")]
    NoCargo(#[source] std::io::Error),
    #[error("the functions {names} do not build (see above)")]
    NotBuilt { names: String },
    #[error(
        "the function binaries {names} are not in {folder}: build them with `cargo build --release --workspace --bins`"
    )]
    Missing { names: String, folder: PathBuf },
}

impl Project {
    /// Looks upwards from the present folder, then from this program's own file.
    pub fn find() -> Result<Self, ProjectError> {
        let cwd = std::env::current_dir().map_err(ProjectError::Nowhere)?;
        let program = std::env::current_exe().map_err(ProjectError::Nowhere)?;
        let above = cwd.ancestors().chain(program.ancestors().skip(1));
        let root = above
            .into_iter()
            .find(|folder| folder.join("template.yaml").is_file())
            .map(Path::to_owned);
        root.map(|root| Self { root }).ok_or(ProjectError::NotFound { cwd })
    }

    pub fn template(&self) -> PathBuf {
        self.root.join("template.yaml")
    }

    /// The folder of the functions' binaries, which lie beside this program. Started by
    /// cargo, it has cargo bring them up to date; otherwise they must be there.
    ///
    /// Cargo is asked without `-p`, so that dependencies have the features they have when
    /// `cargo run` builds this program, and nothing is built twice.
    pub fn binaries(
        &self,
        packages: &[&str],
        cargo: Option<&Path>,
    ) -> Result<PathBuf, ProjectError> {
        let program = std::env::current_exe().map_err(ProjectError::Nowhere)?;
        let mut folder = program.parent().unwrap_or(Path::new(".")).to_owned();
        if folder.ends_with("deps") {
            folder.pop();
        }
        if let Some(cargo) = cargo.filter(|_| folder.join("deps").is_dir()) {
            let mut command = Command::new(cargo);
            command.arg("build").arg("--quiet").current_dir(&self.root);
            if folder.ends_with("release") {
                command.arg("--release");
            }
            command.args(packages.iter().flat_map(|package| ["--bin", package]));
            let status = command.status().map_err(ProjectError::NoCargo)?;
            if !status.success() {
                return Err(ProjectError::NotBuilt { names: packages.join(", ") });
            }
        }
        let missing: Vec<&str> =
            packages.iter().filter(|package| !folder.join(package).is_file()).copied().collect();
        if missing.is_empty() {
            Ok(folder)
        } else {
            Err(ProjectError::Missing { names: missing.join(", "), folder })
        }
    }
}
