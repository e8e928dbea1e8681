//! Has the crate compiled again whenever a migration is added.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
