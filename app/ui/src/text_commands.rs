//! The words about orders, in Chinese and English.

use protocol::command::{Failure, Origin, Stage};

use crate::choice::Language;
use crate::text::Text;

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

// Where they stand.
pub(crate) const COMMANDS: Text = text("指令", "Commands");
pub(crate) const KEY_COMMANDS: Text = text("打开指令页", "open the commands page");
pub(crate) const ACTIONS: Text = text("操作", "Actions");
pub(crate) const PARAMETERS: Text = text("参数", "Parameters");

// Giving one.
pub(crate) const DO: Text = text("执行", "Run");
pub(crate) const SET: Text = text("设置", "Set");
pub(crate) const RESET: Text = text("复位", "Reset");
pub(crate) const CONFIRM: Text = text("确认", "Confirm");
pub(crate) const CANCEL: Text = text("取消", "Cancel");
pub(crate) const HOLD: Text = text("按住 1 秒执行", "Hold for 1 s to run");
pub(crate) const OR_TYPE: Text =
    text("或输入设备编号并按回车", "Or type the device code and press Enter");
pub(crate) const NEW_VALUE: Text = text("新值", "New value");

// What is wrong with a value.
pub(crate) const NO_VALUE: Text = text("请输入数值", "Enter a value");
pub(crate) const NOT_A_NUMBER: Text = text("不是数字", "That is not a number");

// Why none can be given.
pub(crate) const STARTING: Text =
    text("正在连接: 连接后才能下发指令", "Connecting: commands follow once it stands");
pub(crate) const OFFLINE: Text =
    text("离线: 指令不会排队等待", "Offline: commands are not kept for later");
pub(crate) const STALE: Text =
    text("数据不是实时的: 无法判断当前值", "The data is not live: what is there now is not known");
pub(crate) const LOCKED: Text =
    text("页面已锁定: 解锁后才能下发指令", "The page is locked: unlock it to give commands");
pub(crate) const NOT_REACHED: Text = text("控制板通信中断", "The board cannot be reached");
pub(crate) const NOT_PERMITTED: Text =
    text("无权限: 需要操作员角色", "Not permitted: it takes the role of an operator");
pub(crate) const NO_CODE: Text = text("没有故障码", "There is no fault code");

// How far one has come.
pub(crate) const SENT: Text = text("已发送", "Sent");
pub(crate) const RESENT: Text = text("无应答, 已重发", "No answer, sent again");
pub(crate) const ACCEPTED: Text = text("已接受", "Accepted");
pub(crate) const EXECUTING: Text = text("执行中", "Executing");
pub(crate) const DONE: Text = text("完成 (已回读确认)", "Done (verified)");
pub(crate) const DONE_BLINDLY: Text = text("完成 (未回读确认)", "Done (unverified)");
pub(crate) const FAILED: Text = text("失败", "Failed");
pub(crate) const CONFLICT: Text = text("冲突", "Conflict");
pub(crate) const NO_RESPONSE: Text = text(
    "COMMAND_NO_RESPONSE 服务器无应答: 是否已执行未知",
    "COMMAND_NO_RESPONSE: the server did not answer, whether it was carried out is not known",
);
pub(crate) const EXPIRED: Text = text("已过期", "Expired");
pub(crate) const NOT_SENT: Text = text(
    "未发送: 连接已中断, 之后也不会发送",
    "Not sent: there was no connection, nor will it be sent",
);
pub(crate) const TAMPERED: Text =
    text("传输中校验失败, 未执行", "damaged on the way, not carried out");
pub(crate) const REJECTED: Text = text("服务器无法理解", "the server could not understand it");

// The page of all commands.
pub(crate) const QUEUE: Text = text("实时队列", "Live queue");
pub(crate) const QUEUE_EMPTY: Text =
    text("没有等待、执行或占用中的指令", "No command waits, is executed or holds its target");
pub(crate) const HISTORY: Text = text("历史", "History");
pub(crate) const HISTORY_EMPTY: Text = text("没有符合条件的指令", "No command fits");
pub(crate) const HISTORY_LOADING: Text = text("正在读取…", "Reading…");
pub(crate) const HISTORY_FAILS: Text = text("无法读取历史", "The history cannot be read");
pub(crate) const OLDER: Text = text("更早", "Older");
pub(crate) const EXPORT: Text = text("导出 CSV", "Export CSV");
pub(crate) const ALL: Text = text("全部", "All");
pub(crate) const SOURCE: Text = text("来源", "Source");
pub(crate) const OUTCOME: Text = text("结果", "Outcome");
pub(crate) const SUCCEEDED: Text = text("成功", "Succeeded");
pub(crate) const DEVICE: Text = text("设备", "Device");
pub(crate) const PERIOD: Text = text("时间", "Time");
pub(crate) const LAST_HOUR: Text = text("1 小时", "1 hour");
pub(crate) const LAST_DAY: Text = text("24 小时", "24 hours");
pub(crate) const LAST_WEEK: Text = text("7 天", "7 days");
pub(crate) const PRIORITY: Text = text("优先级", "Priority");
pub(crate) const COMMAND: Text = text("指令", "Command");
pub(crate) const CHANGE: Text = text("旧值 → 新值", "Old → new");
pub(crate) const LATENCY: Text = text("耗时", "Latency");
pub(crate) const WHEN: Text = text("时间", "Time");
pub(crate) const WHO: Text = text("来源 · 用户", "Source · user");
pub(crate) const VIA: Text = text("经由", "Via");
pub(crate) const COMMAND_ID: Text = text("指令编号", "Command id");
pub(crate) const DETAIL: Text = text("说明", "Detail");
pub(crate) const UNKNOWN_YET: Text = text("结果未知", "No outcome yet");

// The steps of one.
pub(crate) const STEP_ACCEPTED: Text = text("接受", "accepted");
pub(crate) const STEP_RECORDED: Text = text("已记录", "on record");
pub(crate) const STEP_SENT: Text = text("交给现场", "handed to the field");
pub(crate) const STEP_WRITTEN: Text = text("控制板确认写入", "written");
pub(crate) const STEP_ENDED: Text = text("结束", "ended");

pub(crate) fn origin(origin: Origin) -> Text {
    match origin {
        Origin::Local => text("本地", "Local"),
        Origin::Pscada => text("PSCADA", "PSCADA"),
        Origin::SystemServer => text("系统服务器", "System server"),
    }
}

pub(crate) fn stage(stage: Stage) -> Text {
    match stage {
        Stage::Waiting => text("等待", "Waiting"),
        Stage::Executing => EXECUTING,
        Stage::Holding => text("占用中", "Holds its target"),
    }
}

/// Why an order was not carried out, or is not known to have been.
pub(crate) fn failure(failure: Failure) -> Text {
    match failure {
        Failure::Busy => text("等待的指令过多", "too many commands wait already"),
        Failure::ConflictHighPriority => {
            text("更高优先级正在控制", "a higher priority is in control")
        }
        Failure::DeviceOffline => {
            text("控制板不可达, 未写入", "the board cannot be reached, nothing was written")
        }
        Failure::DeviceRefused => text("控制板拒绝写入", "the board refused the write"),
        Failure::DeviceTimeout => text(
            "控制板未按时应答, 是否已写入未知",
            "the board did not answer in time, whether it was written is not known",
        ),
        Failure::Expired => {
            text("未能及时执行, 未写入", "its time had passed, nothing was written")
        }
        Failure::Interrupted => text(
            "服务在得到结果前停止, 不会重新执行",
            "the server stopped before the outcome was known, it is not run again",
        ),
        Failure::InvalidParam => text("参数无效", "the value cannot be"),
        Failure::NotRecorded => {
            text("指令记录未能保存, 未写入", "it could not be put on record, nothing was written")
        }
        Failure::NotSupported => text("设备没有这个指令", "the device has no such command"),
        Failure::NotVerified => {
            text("已写入, 但回读值不同", "it was written, but the read-back differs")
        }
        Failure::Unauthorized => text("无权下发指令", "this account may give no commands"),
    }
}

/// `取值 20 – 120 °C`.
pub(crate) fn range(language: Language, ends: &str) -> String {
    match language {
        Language::Zh => format!("取值 {ends}"),
        Language::En => format!("Allowed: {ends}"),
    }
}

/// `系统服务器 dispatcher 控制中, 12 s 剩余`.
pub(crate) fn held(language: Language, who: &str, seconds: Option<u64>) -> String {
    match (language, seconds) {
        (Language::Zh, Some(seconds)) => format!("{who} 控制中, {seconds} s 剩余"),
        (Language::Zh, None) => format!("{who} 控制中"),
        (Language::En, Some(seconds)) => format!("{who} is in control, {seconds} s left"),
        (Language::En, None) => format!("{who} is in control"),
    }
}

/// What a write does: `写入 远方启动 = ON`.
pub(crate) fn writes(language: Language, point: &str, value: &str) -> String {
    match language {
        Language::Zh => format!("写入 {point} = {value}"),
        Language::En => format!("Writes {point} = {value}"),
    }
}

/// What shows its effect: `以 工作模式 = 4 确认`.
pub(crate) fn proves(language: Language, point: &str, value: &str) -> String {
    match language {
        Language::Zh => format!("以 {point} = {value} 确认"),
        Language::En => format!("shown by {point} = {value}"),
    }
}

/// What a change of pace does.
pub(crate) const CHANGES_PACE: Text =
    text("改变该通道的轮询与推送周期", "Changes how often its channel is polled and pushed");
pub(crate) const SETS_CLOCK: Text =
    text("把站点时间写入控制板", "Writes the site's time to the board");
pub(crate) const FORWARDS: Text =
    text("转发给下级站点", "Is passed on to whoever keeps the device");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_and_origin_has_words_of_its_own() {
        let mut words: Vec<Text> = Failure::ALL.map(failure).into();
        words.extend(Origin::ALL.map(origin));
        words.extend([Stage::Waiting, Stage::Executing, Stage::Holding].map(stage));
        for (index, word) in words.iter().enumerate() {
            assert!(!word.zh.is_empty() && !word.en.is_empty(), "{word:?}");
            assert!(!words[..index].contains(word), "{word:?} stands for two");
        }
    }

    #[test]
    fn sentences_follow_the_language() {
        assert_eq!(held(Language::Zh, "系统服务器", Some(12)), "系统服务器 控制中, 12 s 剩余");
        assert_eq!(held(Language::En, "PSCADA", None), "PSCADA is in control");
        assert_eq!(range(Language::En, "20 – 120 °C"), "Allowed: 20 – 120 °C");
    }
}
