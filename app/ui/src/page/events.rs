//! What is on record: the log of connections and sign-ins, and what people did.

pub(crate) mod audit;
pub(crate) mod log;
mod record;

use crate::text::Text;
use crate::text_records as words;

const TABS: [(&str, Text); 2] = [("/events", words::LOG), ("/events/audit", words::AUDIT)];
