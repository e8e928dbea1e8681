//! How a center is configured that expects some edges.

use std::fmt::Write as _;

/// What every edge shows.
pub const TOKEN: &str = "a-token-for-trials-only";

/// Edges of these names, all with the same devices and commands.
pub fn configuration(edges: &[String], devices: &[String], commands: &[String]) -> String {
    let mut text = String::from(
        "[server]\nrole = \"center\"\n[auth]\nenabled = false\n[[site]]\nid = \"site\"\n",
    );
    for edge in edges {
        let _ = writeln!(
            text,
            "[[edge]]\nid = \"{edge}\"\ntoken = \"{TOKEN}\"\nsite = \"site\"\n\
             devices = {devices:?}\ncommands = {commands:?}"
        );
    }
    text
}
