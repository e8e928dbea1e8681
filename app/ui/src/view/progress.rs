//! How far an order has come, and why none can be given, in words.

use link::Progress;
use protocol::command::{Failure, OrderLine, Origin, Stage};
use protocol::frame::CommandStatus;
use protocol::time::Timestamp;

use crate::choice::Language;
use crate::live::{Blocked, Given};
use crate::text::Text;
use crate::text_commands as words;

/// One state of an order: its word for machines, and a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Say {
    /// As `data-state` has it.
    pub word: &'static str,
    pub text: String,
}

/// What is to be said of an order of this page, given what everyone may see of it.
pub(crate) fn say(given: &Given, orders: &[OrderLine], now: Timestamp, language: Language) -> Say {
    let plain = |word, text: Text| Say { word, text: text.of(language).into() };
    let Some(progress) = &given.progress else { return plain("sent", words::SENT) };
    match progress {
        Progress::Sent | Progress::Resent => {
            let is_it = |line: &&OrderLine| line.command_id == given.id;
            match orders.iter().find(is_it).map(|line| line.stage) {
                Some(Stage::Waiting) => plain("accepted", words::ACCEPTED),
                Some(_) => plain("executing", words::EXECUTING),
                None if *progress == Progress::Resent => plain("sent", words::RESENT),
                None => plain("sent", words::SENT),
            }
        }
        Progress::NotSent => plain("not_sent", words::NOT_SENT),
        Progress::NoResponse => plain("no_response", words::NO_RESPONSE),
        Progress::Tampered => failed(words::TAMPERED.of(language), None, language),
        Progress::Rejected(invalid) => {
            failed(words::REJECTED.of(language), Some(&invalid.detail), language)
        }
        Progress::Conflict(conflict) => {
            let who = who(conflict.holder.origin, &conflict.holder.user, language);
            let held = words::held(language, &who, left(conflict.until, now));
            Say { word: "conflict", text: sentence(words::CONFLICT.of(language), &held) }
        }
        Progress::Done(result) if result.status == CommandStatus::Success => {
            let (word, text) = match result.verified {
                Some(true) => ("done", words::DONE),
                _ => ("unverified", words::DONE_BLINDLY),
            };
            Say { word, text: format!("{} · {} ms", text.of(language), result.ms) }
        }
        Progress::Done(result) => failure(result.reason, result.detail.as_deref(), language),
    }
}

/// How an order failed, in words; what the server adds stands behind them.
pub(crate) fn failure(reason: Option<Failure>, detail: Option<&str>, language: Language) -> Say {
    let why = reason.map(words::failure).unwrap_or(crate::text::UNKNOWN).of(language);
    match reason {
        Some(Failure::Expired) => {
            Say { word: "expired", text: sentence(words::EXPIRED.of(language), why) }
        }
        Some(Failure::ConflictHighPriority) => {
            Say { word: "conflict", text: sentence(words::CONFLICT.of(language), why) }
        }
        _ => failed(why, detail, language),
    }
}

fn failed(why: &str, detail: Option<&str>, language: Language) -> Say {
    let mut text = sentence(words::FAILED.of(language), why);
    // The server adds in English what the words do not say.
    if let Some(detail) = detail.filter(|_| language == Language::En) {
        text = format!("{text} ({detail})");
    }
    Say { word: "failed", text }
}

pub(crate) fn blocked(blocked: &Blocked, now: Timestamp, language: Language) -> String {
    let text = match blocked {
        Blocked::Locked => words::LOCKED,
        Blocked::Starting => words::STARTING,
        Blocked::Offline => words::OFFLINE,
        Blocked::Stale => words::STALE,
        Blocked::NotPermitted => words::NOT_PERMITTED,
        Blocked::NotReached => words::NOT_REACHED,
        Blocked::Held { origin, user, until } => {
            let seconds = until.and_then(|until| left(until, now));
            return words::held(language, &who(*origin, user, language), seconds);
        }
    };
    text.of(language).into()
}

/// `系统服务器 dispatcher`; a name that says nothing more is left out.
pub(crate) fn who(origin: Origin, user: &str, language: Language) -> String {
    let origin_word = words::origin(origin).of(language);
    if user.is_empty() || user == ANONYMOUS || user == origin.to_string() {
        return origin_word.into();
    }
    format!("{origin_word} {user}")
}

/// The whole seconds that are left; `None` where there are none.
fn left(until: Timestamp, now: Timestamp) -> Option<u64> {
    let left = until.since(now);
    (!left.is_zero()).then(|| left.as_millis().div_ceil(1000) as u64)
}

fn sentence(word: &str, more: &str) -> String {
    format!("{word}: {more}")
}

/// Whom the server names as long as sign-in is off.
const ANONYMOUS: &str = "anonymous";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::wire::native::{CommandResult, ConflictHighPriority, Holder};

    use super::*;
    use crate::live::Wish;
    use crate::sample::NOW;

    fn given(progress: Progress) -> Given {
        let device = "board-1".parse().unwrap();
        let wish = Wish { device, command: "START".into(), param: None };
        Given { id: "c-1".into(), wish, progress: Some(progress) }
    }

    fn line(stage: Stage) -> OrderLine {
        OrderLine {
            command: "START".into(),
            command_id: "c-1".into(),
            origin: Origin::Local,
            param: None,
            since: NOW,
            stage,
            until: None,
            user: "anonymous".into(),
        }
    }

    fn result(reason: Option<Failure>, verified: Option<bool>) -> Progress {
        Progress::Done(CommandResult {
            command_id: "c-1".into(),
            detail: reason.map(|_| "in short".into()),
            executed_at: NOW,
            ms: 40,
            new: None,
            old: None,
            reason,
            status: CommandStatus::of(reason),
            verified,
        })
    }

    #[test]
    fn each_state_has_the_word_of_the_console() {
        let holder = Holder { origin: Origin::SystemServer, user: "center".into() };
        let until = NOW + Duration::from_millis(11_001);
        let conflict = ConflictHighPriority { command_id: "c-1".into(), holder, until };
        let table = [
            (Progress::Sent, None, "sent", "已发送"),
            (Progress::Resent, None, "sent", "无应答, 已重发"),
            (Progress::Sent, Some(Stage::Waiting), "accepted", "已接受"),
            (Progress::Resent, Some(Stage::Executing), "executing", "执行中"),
            (result(None, Some(true)), None, "done", "完成 (已回读确认) · 40 ms"),
            (result(None, None), None, "unverified", "完成 (未回读确认) · 40 ms"),
            (
                result(Some(Failure::NotVerified), Some(false)),
                None,
                "failed",
                "失败: 已写入, 但回读值不同",
            ),
            (result(Some(Failure::Expired), None), None, "expired", "已过期: 未能及时执行, 未写入"),
            (
                Progress::Conflict(conflict),
                None,
                "conflict",
                "冲突: 系统服务器 center 控制中, 12 s 剩余",
            ),
            (Progress::Tampered, None, "failed", "失败: 传输中校验失败, 未执行"),
        ];
        for (progress, stage, word, text) in table {
            let orders: Vec<_> = stage.map(line).into_iter().collect();
            let said = say(&given(progress.clone()), &orders, NOW, Language::Zh);
            assert_eq!((said.word, said.text.as_str()), (word, text), "{progress:?}");
        }
        let said = say(&given(Progress::NoResponse), &[], NOW, Language::En);
        assert!(said.word == "no_response" && said.text.contains("COMMAND_NO_RESPONSE"));
        let said = say(&given(result(Some(Failure::Busy), None)), &[], NOW, Language::En);
        assert_eq!(said.text, "Failed: too many commands wait already (in short)");
    }

    #[test]
    fn a_user_who_is_nobody_or_the_origin_is_not_named() {
        assert_eq!(who(Origin::Pscada, "pscada", Language::Zh), "PSCADA");
        assert_eq!(who(Origin::Local, "anonymous", Language::Zh), "本地");
        assert_eq!(who(Origin::Local, "li", Language::En), "Local li");
    }
}
