//! Every word the operator reads, in Chinese and English; one that lacks a language does not compile.

use link::status::{Ending, LinkState};
use protocol::device::{DeviceStatus, Peer};
use protocol::part::Part;
use protocol::reading::{Quality, Reason};
use protocol::wire::CloseCode;
use protocol::wire::native::FailReason;

use crate::choice::{Language, Theme};

/// One text in both languages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Text {
    pub zh: &'static str,
    pub en: &'static str,
}

impl Text {
    pub fn of(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.zh,
            Language::En => self.en,
        }
    }
}

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

// The shell.
pub const PRODUCT: Text = text("无断档", "Gapless");
pub const OVERVIEW: Text = text("总览", "Overview");
pub const DEVICES: Text = text("设备", "Devices");
pub const NAVIGATION: Text = text("导航", "Navigation");
pub const SKIP: Text = text("跳到内容", "Skip to content");
pub const DEMO: Text = text("演示数据", "Demo data");
pub const DEMO_WHY: Text =
    text("本页数值来自内置模拟控制板", "These values come from built-in simulated boards");
pub const NO_SCRIPT: Text = text(
    "浏览器未启用脚本: 数值停留在页面打开的时刻",
    "Scripts are off in this browser: values stand still at the moment the page was opened",
);
pub const SWITCH_LANGUAGE: Text = text("Switch to English", "切换到中文");
pub const THEME: Text = text("主题", "Theme");
pub const SITE_TIME: Text = text("站点时间", "Site time");
pub const NO_FAULTS: Text = text("无故障或报警", "No faults or alarms");
pub const CLOSE: Text = text("关闭", "Close");
pub const NOT_FOUND: Text = text("没有这个页面", "There is no such page");
pub const NO_DEVICE: Text = text("没有这个设备", "There is no such device");
pub const BACK: Text = text("回到总览", "Back to the overview");
pub const LOADING: Text = text("正在读取点表…", "Reading the point table…");

// The keys.
pub const HELP: Text = text("键盘快捷键", "Keyboard shortcuts");
pub const KEY_OVERVIEW: Text = text("打开总览", "open the overview");
pub const KEY_DEVICES: Text = text("打开第一个设备", "open the first device");
pub const KEY_HELP: Text = text("打开本说明", "open this help");
pub const KEY_ESCAPE: Text = text("关闭窗口", "close what is open");

// The overview.
pub const ONLINE: Text = text("设备在线", "Devices online");
pub const IN_FAULT: Text = text("故障设备", "Devices in fault");
pub const IN_ALARM: Text = text("报警设备", "Devices in alarm");
pub const OLDEST: Text = text("最大数据时延", "Oldest data");
pub const LINKS_UP: Text = text("链路正常", "Links up");
pub const ONLY_ABNORMAL: Text = text("仅显示异常", "Abnormal only");
pub const NOTHING_ABNORMAL: Text = text("没有异常设备", "No device is abnormal");
pub const NO_DEVICES: Text = text("尚未配置设备", "No device is configured yet");
pub const LAST_EVENTS: Text = text("最近事件", "Last events");
pub const NO_EVENTS: Text = text("打开页面以来无事件", "None since the page was opened");
pub const LAST_CHANGE: Text = text("状态变化", "State since");
pub const WORST: Text = text("最差质量", "Worst quality");

// The device.
pub const ANALOG: Text = text("模拟量", "Analog values");
pub const INPUTS: Text = text("开关量输入", "Digital inputs");
pub const OUTPUTS: Text = text("开关量输出", "Digital outputs");
pub const NONE_CONFIGURED: Text = text("未配置", "none configured");
pub const STATE: Text = text("状态", "State");
pub const FAULT_CODES: Text = text("故障码", "Fault codes");
pub const NO_FAULT_CODES: Text = text("无故障码", "no fault codes");
pub const REACH: Text = text("通信链路", "Reach");
pub const POLL: Text = text("轮询周期", "Poll interval");
pub const NAME: Text = text("名称", "Name");
pub const VALUE: Text = text("数值", "Value");
pub const RANGE: Text = text("量程与限值", "Range and limits");
pub const TREND: Text = text("10 分钟趋势", "Last 10 minutes");
pub const QUALITY: Text = text("质量 · 时延", "Quality · age");
pub const LAST_GOOD: Text = text("最后有效", "last good");
pub const AGE: Text = text("时延", "age");

// The link.
pub const LINK: Text = text("连接", "Connection");
pub const LINK_DETAILS: Text = text("连接详情", "Connection details");
pub const SINCE: Text = text("自", "Since");
pub const LAST_DATA: Text = text("最新数据", "Last data");
pub const RTT: Text = text("往返时延", "Round trip");
pub const MISSED_BEATS: Text = text("未应答心跳", "Missed heartbeats");
pub const GAPS: Text = text("缺口 丢失 / 补回", "Gaps lost / repaired");
pub const RECONNECTS: Text = text("重连次数", "Reconnects");
pub const TAMPERED: Text = text("校验失败帧", "Frames with a bad checksum");
pub const SEQUENCE: Text = text("序列号", "Sequence");
pub const EPOCH: Text = text("纪元", "Epoch");
pub const CONNECTION_ID: Text = text("连接标识", "Connection id");
pub const SERVER_VERSION: Text = text("服务器版本", "Server version");
pub const LAST_ENDING: Text = text("上次断开原因", "Why it last ended");
pub const COPY: Text = text("复制", "Copy");
pub const COPIED: Text = text("已复制", "Copied");
pub const SERVER: Text = text("浏览器 – 服务器", "Browser – server");
pub const LINK_LOST: Text = text("连接中断", "Connection lost");
pub const DATA_FROM: Text = text("数据停留在", "data stands at");
pub const RETRY: Text = text("立即重试", "Retry now");
pub const DIALING: Text = text("正在连接", "connecting");
pub const RECONNECT_FAILED: Text = text("重连失败", "Reconnecting failed");
pub const CHECK_NETWORK: Text = text("请检查网络", "check the network");
pub const NEXT_TRY: Text = text("下次重试", "next try in");
pub const LINK_REFUSED: Text = text("服务器拒绝连接", "The server refuses the connection");
pub const DATA_OLD: Text = text("数据流停滞", "The data stream stands still");
pub const UPGRADED: Text =
    text("服务已升级, 请刷新页面", "The service was upgraded: reload the page");
pub const RECOVERED: Text = text("已恢复", "Recovered");
pub const RESTARTED: Text = text("服务已重启", "The service was restarted");
pub const HOLE_IN_VALUES: Text =
    text("数值缺失 (事件已补齐)", "Values missing (events are complete)");
pub const HOLE_IN_ALL: Text = text("数值与事件缺失", "Values and events missing");
pub const AUDIT_FAILS: Text = text(
    "审计记录无法保存, C 类指令 (启停等) 暂不执行",
    "The audit trail cannot be written: commands of class C are not carried out",
);
pub const BACKLOG_FAILS: Text = text(
    "待上传数据无法完整保存, 系统服务器可能缺少部分历史",
    "Data for the system server cannot be kept whole: its history may have holes",
);
pub const COMMANDS_FAIL: Text =
    text("指令记录无法保存, 指令暂不执行", "Commands cannot be put on record: none is carried out");
pub const HISTORY_FAILS: Text = text(
    "下级站点的历史数据无法保存, 各站点将稍后重传",
    "The history of the edges cannot be stored: they send it again later",
);
pub const JOURNAL_FAILS: Text = text(
    "恢复日志无法写入: 数值照常, 但服务重启后事件可能缺失",
    "The journal cannot be written: values go on, but a restart may lose events",
);
pub const RECORDS_FAIL: Text =
    text("运行记录无法写入: 数值照常", "Nothing can be put on record: values go on");
pub const REFILLED: Text = text("补传", "refilled");
pub const GAP: Text = text("缺口", "gaps");
pub const OTHER_LOST: Text =
    text("另一客户端失去心跳", "Another client of this device fell silent");
pub const TAMPERED_FRAME: Text =
    text("收到校验失败的帧, 未采用", "A frame with a bad checksum was dropped");
pub const REJECTED: Text = text("服务器不接受本页的请求", "The server could not take a request");
pub const REFUSED_STREAMS: Text = text("数据流被拒绝", "Data streams were refused");

/// How many tries of a series have been made: `第 3/10 次重连`.
pub fn tries(language: Language, tries: u32, of: u32) -> String {
    match language {
        Language::Zh => format!("第 {tries}/{of} 次重连"),
        Language::En => format!("retry {tries} of {of}"),
    }
}

/// What it means that a part of the server fails.
pub fn failing(part: Part) -> Text {
    match part {
        Part::Audit => AUDIT_FAILS,
        Part::Backlog => BACKLOG_FAILS,
        Part::Commands => COMMANDS_FAIL,
        Part::History => HISTORY_FAILS,
        Part::Journal => JOURNAL_FAILS,
        Part::Records => RECORDS_FAIL,
    }
}

/// How many frames came after all: `补传 42 条`.
pub fn refilled(language: Language, frames: u64) -> String {
    match language {
        Language::Zh => format!("{} {frames} 条", REFILLED.zh),
        Language::En => format!("{frames} {}", REFILLED.en),
    }
}

/// What was sent: `42 帧 · 17 KB`.
pub fn frames_and_bytes(language: Language, frames: u64, bytes: u64) -> String {
    let size = bytes.div_ceil(1000);
    match language {
        Language::Zh => format!("{frames} 帧 · {size} KB"),
        Language::En => format!("{frames} frames · {size} KB"),
    }
}

pub fn status(status: DeviceStatus) -> Text {
    match status {
        DeviceStatus::Working => text("工作", "Working"),
        DeviceStatus::Testing => text("测试", "Testing"),
        DeviceStatus::Alarm => text("报警", "Alarm"),
        DeviceStatus::Fault => text("故障", "Fault"),
    }
}

pub const UNKNOWN: Text = text("未知", "Unknown");

pub fn quality(quality: Quality) -> Text {
    match quality {
        Quality::Good => text("有效", "good"),
        Quality::Simulated => text("模拟", "simulated"),
        Quality::Uncertain => text("存疑", "uncertain"),
        Quality::Stale => text("过时", "stale"),
        Quality::Bad => text("无效", "bad"),
        Quality::NoComm => text("无通信", "no comm"),
    }
}

/// The page's own connection is at fault, whatever the server last said of a value.
pub const NOT_LIVE: Text = text("非实时", "not live");

/// Why a value is not good; a Modbus exception with its number.
pub fn reason(language: Language, reason: Reason) -> String {
    let word = match reason {
        Reason::NotRead => text("尚未读取", "not read yet"),
        Reason::Overdue => text("轮询逾期", "poll overdue"),
        Reason::Timeout => text("超时", "timed out"),
        Reason::Refused => text("拒绝连接", "connection refused"),
        Reason::Unreachable => text("不可达", "unreachable"),
        Reason::Disconnected => text("连接断开", "disconnected"),
        Reason::Garbage => text("应答无法识别", "unreadable answer"),
        Reason::ShortAnswer => text("应答过短", "answer too short"),
        Reason::ForeignUnit => text("其他站号应答", "another unit answered"),
        Reason::NotANumber => text("非数值", "not a number"),
        Reason::OutOfRange => text("超出量程", "out of range"),
        Reason::Exception(code) => {
            let number = text("异常", "exception").of(language);
            return format!("{number} {code} {}", exception(code).of(language));
        }
    };
    word.of(language).into()
}

/// The exceptions a Modbus board can answer with.
fn exception(code: u8) -> Text {
    match code {
        1 => text("功能码不支持", "illegal function"),
        2 => text("地址无效", "illegal address"),
        3 => text("数据无效", "illegal value"),
        4 => text("设备故障", "device failure"),
        5 => text("处理中", "acknowledged"),
        6 => text("设备忙", "device busy"),
        8 => text("存储校验错误", "memory parity"),
        10 => text("网关无路径", "no gateway path"),
        11 => text("网关目标无应答", "gateway target silent"),
        _ => text("未定义", "undefined"),
    }
}

pub fn peer(peer: Peer) -> Text {
    match peer {
        Peer::Board => text("控制板", "Board"),
        Peer::Pscada => text("PSCADA", "PSCADA"),
        Peer::SystemServer => text("系统服务器", "System server"),
    }
}

pub const UP: Text = text("正常", "up");
pub const DOWN: Text = text("中断", "down");
pub const NOT_CONFIGURED: Text = text("未配置", "not configured");

pub fn theme(theme: Theme) -> Text {
    match theme {
        Theme::Auto => text("自动", "Auto"),
        Theme::Light => text("浅色", "Light"),
        Theme::Dark => text("深色", "Dark"),
    }
}

/// The word of the pill.
pub fn link(state: &LinkState) -> Text {
    match state {
        LinkState::Dialing { .. } | LinkState::Greeting { .. } => text("连接中", "Connecting"),
        LinkState::Live { .. } => text("在线", "Online"),
        LinkState::Waiting { .. } => text("中断", "Lost"),
        LinkState::Failed { .. } => text("重连失败", "Failed"),
        LinkState::Refused { .. } => text("被拒绝", "Refused"),
    }
}

/// Why the server will not have us.
pub fn refusal(reason: FailReason) -> Text {
    match reason {
        FailReason::DeviceNotFound => text("没有这个设备", "there is no such device"),
        FailReason::Limit => text("连接数已满", "too many connections"),
        FailReason::Unauthorized => text("未登录", "not signed in"),
        FailReason::UnsupportedVersion => UPGRADED,
    }
}

pub fn ending(ending: Ending) -> Text {
    match ending {
        Ending::Silent => text("三次心跳无应答", "three heartbeats without an answer"),
        Ending::NoAnswer => text("服务器无应答", "the server did not answer"),
        Ending::Closed(code) => closed(code),
    }
}

fn closed(code: CloseCode) -> Text {
    match code {
        CloseCode::Normal => text("正常关闭", "closed as agreed"),
        CloseCode::Policy => text("违反策略", "against the server's policy"),
        CloseCode::TooBig => text("消息过大", "a message was too big"),
        CloseCode::Internal => text("服务器内部错误", "an error inside the server"),
        CloseCode::Restart => text("服务器重启", "the server restarts"),
        CloseCode::Unauthenticated | CloseCode::Unauthorized => {
            text("未登录或已过期", "not signed in, or expired")
        }
        CloseCode::Refused => text("版本或权限不符", "wrong version, or not permitted"),
        CloseCode::Limit => text("连接数已满", "too many connections"),
        CloseCode::Slow => text("接收过慢", "this page was too slow"),
        CloseCode::TakenOver => text("由另一窗口接管", "another window went on with it"),
        CloseCode::UnknownDevice => text("没有这个设备", "there is no such device"),
        CloseCode::Silent => text("服务器未收到心跳", "the server heard no heartbeat"),
        CloseCode::TooFast => text("发送过快", "this page sent too fast"),
        CloseCode::Other(_) => text("网络中断", "the network broke"),
    }
}

/// What a key event is about, where it names no peer, code or point.
pub const EVENT_STATUS: Text = text("设备状态", "state");
pub const EVENT_FAULT: Text = text("故障码", "fault code");
pub const EVENT_RAISED: Text = text("出现", "raised");
pub const EVENT_CLEARED: Text = text("消失", "cleared");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_can_happen_has_words_in_both_languages() {
        let mut texts: Vec<Text> = (0..=255).map(exception).collect();
        texts.extend((0..=u16::MAX).map(|number| ending(Ending::Closed(number.into()))));
        texts.extend([ending(Ending::Silent), ending(Ending::NoAnswer)]);
        texts.extend(Peer::ALL.map(peer));
        for text in texts {
            assert!(!text.zh.is_empty() && !text.en.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn counted_texts_follow_the_language() {
        assert_eq!(tries(Language::Zh, 3, 10), "第 3/10 次重连");
        assert_eq!(tries(Language::En, 3, 10), "retry 3 of 10");
        assert_eq!(refilled(Language::Zh, 42), "补传 42 条");
        assert_eq!(refilled(Language::En, 42), "42 refilled");
        assert_eq!(reason(Language::Zh, Reason::Timeout), "超时");
        assert_eq!(reason(Language::En, Reason::Exception(2)), "exception 2 illegal address");
    }
}
