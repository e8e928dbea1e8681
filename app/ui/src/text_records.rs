//! The words about what is on record, in Chinese and English.

use protocol::wire::records::Level;

use crate::text::Text;

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

pub(crate) const EVENTS: Text = text("事件", "Events");
pub(crate) const KEY_EVENTS: Text = text("打开事件页", "open the events page");
pub(crate) const LOG: Text = text("运行日志", "Log");
pub(crate) const AUDIT: Text = text("审计", "Audit trail");
pub(crate) const LEVEL: Text = text("级别", "Level");
pub(crate) const MODULE: Text = text("模块", "Module");
pub(crate) const KIND: Text = text("事件", "Event");
pub(crate) const USER: Text = text("用户", "User");
pub(crate) const TEXT: Text = text("文字", "Text");
pub(crate) const DETAIL: Text = text("说明", "Detail");
pub(crate) const SEARCH: Text = text("查找", "Search");
pub(crate) const ACTION: Text = text("操作", "Action");
pub(crate) const TARGET: Text = text("对象", "Target");
pub(crate) const CHANGE: Text = text("变更前 → 后", "Before → after");
pub(crate) const DONE: Text = text("已执行", "done");
pub(crate) const NOT_DONE: Text = text("未执行", "not done");
pub(crate) const FROM_HERE: Text =
    text("从此条起, 更早的在下", "From this line on, older ones below");
pub(crate) const SHOW_ALL: Text = text("显示全部", "Show all");
pub(crate) const WARNINGS: Text = text("警告及以上", "Warnings and errors");
pub(crate) const ERRORS: Text = text("仅错误", "Errors only");
pub(crate) const SIGNING_IN: Text = text("登录与权限", "Signing in");

pub(crate) fn level(level: Level) -> Text {
    match level {
        Level::Info => text("信息", "Info"),
        Level::Warn => text("警告", "Warning"),
        Level::Error => text("错误", "Error"),
    }
}

/// What a line is about; a word that is not known here stays as it is.
pub(crate) fn kind(word: &str) -> Option<Text> {
    Some(match word {
        "refused" => text("连接被拒绝", "connection refused"),
        "unauthorized" => text("未授权的连接", "unauthorized connection"),
        "opened" => text("连接建立", "connection opened"),
        "data_lost" => text("数据缺口", "data lost"),
        "malformed" => text("无法识别的消息", "malformed message"),
        "tampered" => text("校验失败", "bad checksum"),
        "flooded" => text("发送过快", "sent too fast"),
        "slow" => text("接收过慢", "too slow"),
        "lost" => text("失去心跳", "heartbeat lost"),
        "closed" => text("连接关闭", "connection closed"),
        "dropped" => text("记录丢弃", "records dropped"),
        "signed_in" => text("登录", "signed in"),
        "signed_out" => text("退出", "signed out"),
        "sign_in_failed" => text("登录失败", "sign-in failed"),
        "locked_out" => text("账户锁定", "locked out"),
        "token_refused" => text("令牌被拒绝", "token refused"),
        "not_permitted" => text("无权限", "not permitted"),
        _ => return None,
    })
}

/// What somebody did; a word that is not known here stays as it is.
pub(crate) fn action(word: &str) -> Option<Text> {
    Some(match word {
        "started" => text("服务启动", "server started"),
        "sign_in" => text("登录", "signed in"),
        "sign_out" => text("退出", "signed out"),
        "session_ended" => text("强制下线", "signed somebody out"),
        "locked_out" => text("账户锁定", "locked out"),
        "unlocked" => text("账户解锁", "unlocked"),
        "token_issued" => text("签发令牌", "issued a token"),
        "token_stolen" => text("旧令牌被重用", "old token used again"),
        "password_changed" => text("修改密码", "changed a password"),
        "account_added" => text("新增账户", "added an account"),
        "account_changed" => text("修改账户", "changed an account"),
        "account_removed" => text("删除账户", "removed an account"),
        "command" => text("指令", "command"),
        "configured" => text("配置变更", "configuration"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_known_stay_as_they_are() {
        assert_eq!(kind("opened").map(|text| text.en), Some("connection opened"));
        assert_eq!(action("command").map(|text| text.zh), Some("指令"));
        assert_eq!((kind("x"), action("x")), (None, None));
    }
}
