//! Has the server compiled again whenever the site it carries has been built again.

use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={SITE}");
    }
    // A debug build reads the site from disk, and has to know its true path when it is compiled.
    fs::create_dir_all(SITE)
}

const SITE: &str = "../target/site";
