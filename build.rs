//! Takes comments and indentation out of the Lua scripts: they are for readers, and each byte is sent to Redis once an isolate.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// Where scripts lie, below `src/`.
const FOLDERS: [&str; 4] = ["namespaces", "proxy", "social/scripts", "usage"];

fn main() -> Result<(), Box<dyn Error>> {
    let target = PathBuf::from(env::var("OUT_DIR")?).join("lua");
    fs::create_dir_all(&target)?;
    for folder in FOLDERS {
        let folder = Path::new("src").join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            if let (Some("lua"), Some(name)) = (path.extension().and_then(|end| end.to_str()), path.file_name()) {
                fs::write(target.join(name), bare(&fs::read_to_string(&path)?))?;
            }
        }
    }
    Ok(())
}

/// No script has a text over several lines, so a line that begins with dashes is a comment.
fn bare(script: &str) -> String {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
    lines.map(|line| format!("{line}\n")).collect()
}
