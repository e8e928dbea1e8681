//! `gapless audit`: whether the audit trail is what was written.

use std::io::{self, Write as _};

use config::overrides::Variables;
use serde_json::json;
use store::{AUDIT_FILE, Verified, VerifyError, verify_audit};
use tokio::runtime::Runtime;

use super::kept;
use crate::cli::{DONE, FAILED, Kept};
use crate::log;

pub(super) fn verify(asked: &Kept, json: bool, variables: &Variables) -> anyhow::Result<u8> {
    log::begin(variables, log::QUIET)?;
    let directory = kept::configuration(asked, variables)?.data_dir;
    kept::is_there(&directory, AUDIT_FILE)?;
    let verified = Runtime::new()?.block_on(verify_audit(&directory));
    let mut out = io::stdout().lock();
    match verified {
        Ok(Verified { rows, last, hash }) if json => {
            writeln!(
                out,
                "{}",
                json!({ "holds": true, "rows": rows, "last": last, "hash": hash })
            )?;
        }
        Ok(Verified { rows, last, hash }) => {
            writeln!(out, "the audit trail holds")?;
            writeln!(out, "  rows   {rows}")?;
            writeln!(out, "  last   {last}")?;
            writeln!(out, "  hash   {hash}")?;
        }
        Err(VerifyError::Broken(broken)) if json => {
            writeln!(out, "{}", json!({ "holds": false, "why": broken.to_string() }))?;
            return Ok(FAILED);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(DONE)
}
